//! What README promises of writing: pipes, and mail in the shape of a client.

use super::*;

/// Whose shape a replica has, as the table of clients names it, by the start of the replica's name.
const CLIENTS: &[(&str, &str)] = &[
    ("apple-mail-", "apple-mail"),
    ("evolution", "evolution"),
    ("gmail", "gmail"),
    ("iphone-mail", "ios-mail"),
    ("kmail", "kmail"),
    ("netscape-", "netscape"),
    ("openssl", "openssl"),
    ("outlook-mac-", "outlook-mac"),
    ("outlook-", "outlook"),
    ("thunderbird-", "thunderbird"),
    ("zimbra", "zimbra"),
];

/// Forms of so little structure that nobody is named for a short mail.
const TOO_LITTLE: &[(&str, &str)] = &[
    ("kmail", "encrypted"),
    ("outlook-2024", "inside"),
    ("outlook-2024", "opaque"),
    ("thunderbird-128", "encrypted"),
    ("thunderbird-153", "encrypted"),
    ("thunderbird-52", "encrypted"),
];

/// A place with the files that README names, and `waxseal` on PATH.
struct Reader {
    place: Place,
}

impl Reader {
    fn new() -> Self {
        let place = Place::new();
        place.write("letter.eml", &place.read("mail"));
        Self { place }
    }

    /// Runs a line as the shell of a person does.
    fn types(&self, line: &str) {
        let program = Path::new(env!("CARGO_BIN_EXE_waxseal")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
        let output =
            Command::new("sh").args(["-c", line]).env("PATH", path).current_dir(self.place.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    }

    /// What `fingerprint` says: whose the mail is, and who comes first for its outermost layer.
    fn whose(&self, file: &str, options: &str) -> (Option<String>, String) {
        let (out, _) = self.place.run(0, &format!("fingerprint {file} {options} --json"));
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let first = found["guess"]["layers"][0]["candidates"][0]["client"].as_str().unwrap().to_owned();
        (found["guess"]["client"].as_str().map(str::to_owned), first)
    }
}

/// The lines of a document that begin with these words.
fn lines_of_readme(start: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    readme.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

#[test]
fn the_pipe_of_readme_makes_what_it_says() {
    let reader = Reader::new();
    let lines: Vec<_> = lines_of_readme("waxseal sign ").into_iter().filter(|line| line.contains(" | ")).collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    reader.types(line);
    let open = "open mail.eml --key bob.key.pem --cert bob.cert.pem --anchor root.cert.pem \
                --extra-cert intermediate.cert.pem --out inside --json";
    let (out, _) = reader.place.run(0, open);
    let verdict: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(verdict["overall"], "valid", "{out}");
    let kinds: Vec<_> = verdict["layers"].as_array().unwrap().iter().map(|layer| layer["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("authenveloped"), Some("compressed"), Some("signed")]);
    let [outer, _, inner] = [0, 1, 2].map(|number| &verdict["layers"][number]);
    assert_eq!((&outer["content_cipher"], &inner["form"]), (&"aes-256-gcm".into(), &"opaque".into()));
    assert_eq!(outer["recipients"][0]["algorithm"], "rsaes-oaep");
    let signer = &inner["signers"][0];
    assert_eq!((&signer["digest"], &signer["signature"]), (&"sha-384".into(), &"rsassa-pss".into()));
    assert_eq!(reader.place.read("inside"), "Content-Type: text/plain\r\n\r\nhello\r\n");
}

/// The lines of README with `--as`, and that of the help: what they write is known for what it was to be.
#[test]
fn the_lines_of_readme_write_as_clients_do() {
    if !waxseal_testing::has_openssl() {
        return;
    }
    let reader = Reader::new();
    let files = "-inkey alice.key.pem -in alice.cert.pem -certfile intermediate.cert.pem";
    reader.place.openssl(&format!("pkcs12 -export {files} -passout pass:PASSWORD -out alice.p12"));
    let shaped = |start: &str| -> String {
        let lines = lines_of_readme(start).into_iter().filter(|line| line.contains(" --as "));
        let lines: Vec<_> = lines.collect();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        line.clone()
    };
    let (sign, encrypt) = (shaped("waxseal sign "), shaped("waxseal encrypt "));
    assert!(sign.contains("--as outlook-2024 -o signed.eml"), "{sign}");
    reader.types(&sign);
    assert_eq!(reader.whose("signed.eml", "").0.as_deref(), Some("outlook"));
    assert!(encrypt.contains("--as thunderbird-128 -o mail.eml"), "{encrypt}");
    reader.types(&encrypt);
    assert_eq!(reader.whose("mail.eml", ""), (None, "thunderbird".to_owned()));
    let bob = "--key bob.key.pem --cert bob.cert.pem";
    inside(&reader.place, "mail.eml", bob);

    // `sign --help` has it: what Outlook signs and encrypts in one go.
    let sign = "waxseal sign letter.eml --p12 alice.p12:PASSWORD --as outlook-2024 --inside";
    reader.types(&format!("{sign} | waxseal encrypt - --as outlook-2024 --to bob.cert.pem -o both.eml"));
    assert_eq!(reader.whose("both.eml", bob).0.as_deref(), Some("outlook"));
    let (out, _) = reader.place.run(1, &format!("open both.eml --anchor root.cert.pem {bob} --json"));
    let verdict: serde_json::Value = serde_json::from_str(&out).unwrap();
    let layers = verdict["layers"].as_array().unwrap();
    let [outer, inner] = layers.as_slice() else { panic!("{out}") };
    assert_eq!(
        (&outer["decryption"], &inner["integrity"], &inner["chain"]),
        (&"good".into(), &"good".into(), &"good".into())
    );
    // It signs with SHA-1.
    assert_eq!(inner["policy"]["bad"], "weak-digest", "{out}");
}

/// `--as help` lists what is known; each of that is written, opened again and
/// known by its structure, and nothing else is written.
#[test]
fn a_shape_is_written_in_every_form_that_is_known_and_in_no_other() {
    let reader = Reader::new();
    let place = &reader.place;
    let (_, list) = place.run(2, "sign mail --as help");
    let rows: Vec<(&str, Vec<&str>)> = list
        .lines()
        .filter_map(|line| {
            let (row, forms) = line.strip_prefix("  ")?.rsplit_once(": ")?;
            let forms = forms.split(", ").map(|form| form.split(' ').next().unwrap()).collect();
            Some((row.split(' ').next()?, forms))
        })
        .collect();
    assert!(rows.len() >= 17, "{list}");
    let mut unnamed = Vec::new();
    for (name, known) in &rows {
        let of = CLIENTS.iter().find(|(start, _)| name.starts_with(start));
        let client = of.unwrap_or_else(|| panic!("whose is {name}?")).1;
        for (form, options) in
            [("clear", "--form clear"), ("opaque", "--form opaque"), ("inside", "--inside"), ("encrypted", "")]
        {
            let line = match form {
                "encrypted" => format!("encrypt mail --to bob.cert.pem --as {name} -o made"),
                _ => format!("{SIGN} --as {name} {options} -o made"),
            };
            if !known.contains(&form) {
                let (_, why) = place.run(2, &line);
                let said = why.contains(&format!("how it writes the {form} form is not known"))
                    || why.contains(&format!("it never writes the {form} form"));
                assert!(said && !place.path().join("made").exists(), "{line}: {why}");
                continue;
            }
            place.run(0, &line);
            let (named, first) = reader.whose("made", "");
            assert_eq!(first, client, "{name} {form}");
            match named {
                Some(named) => assert_eq!(named, client, "{name} {form}"),
                None => unnamed.push((*name, form)),
            }
            // What a weak digest is worth is another question, and not every client sends the issuer along.
            let opened = waxseal(
                place.path(),
                &[
                    "open",
                    "made",
                    "--key",
                    "bob.key.pem",
                    "--cert",
                    "bob.cert.pem",
                    "--extra-cert",
                    "alice.cert.pem",
                    "--json",
                ],
                Stdio::null(),
            );
            let verdict: serde_json::Value = serde_json::from_slice(&opened.stdout).unwrap();
            let aspect = if form == "encrypted" { "decryption" } else { "integrity" };
            assert_eq!(verdict["layers"][0][aspect], "good", "{name} {form}: {verdict:#}");
            std::fs::remove_file(place.path().join("made")).unwrap();
        }
    }
    unnamed.sort_unstable();
    assert_eq!(unnamed, TOO_LITTLE);
}
