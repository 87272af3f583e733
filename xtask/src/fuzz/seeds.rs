//! Where fuzzing starts: messages of the corpus, and what openssl makes with
//! the test keys, sorted by target. No byte of anybody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{failed, files};
use crate::run::{cargo, line, program, root, visible};

/// Larger messages only slow a fuzzer down.
const LARGEST: usize = 32 << 10;

/// Target, and arguments of openssl; `PKI` is the folder of the test keys, `TEXT`
/// a mail. The keys and the password are those of `fuzz/src/targets.rs`.
const MADE: &[(&str, &str)] = &[
    ("signed", "cms -sign -in TEXT -nodetach -outform DER -signer PKI/alice.cert.pem -inkey PKI/alice.key.pem"),
    (
        "signed",
        "cms -sign -in TEXT -nodetach -outform DER -noattr -signer PKI/alice-ec.cert.pem -inkey PKI/alice-ec.key.pem",
    ),
    (
        "signed",
        "cms -sign -in TEXT -nodetach -outform DER -signer PKI/alice.cert.pem -inkey PKI/alice.key.pem -keyopt rsa_padding_mode:pss",
    ),
    (
        "signed",
        "cms -sign -in TEXT -nodetach -outform DER -md sha1 -receipt_request_to alice@example.test -receipt_request_all -signer PKI/alice-1024.cert.pem -inkey PKI/alice-1024.key.pem -signer PKI/alice-p384.cert.pem -inkey PKI/alice-p384.key.pem -certfile PKI/root.cert.pem",
    ),
    ("signed", "crl2pkcs7 -nocrl -outform DER -certfile PKI/alice.cert.pem -certfile PKI/root.cert.pem"),
    ("enveloped", "cms -encrypt -in TEXT -outform DER -aes-128-cbc PKI/alice-1024.cert.pem"),
    (
        "enveloped",
        "cms -encrypt -in TEXT -outform DER -stream -indef -keyid -des3 PKI/alice-1024.cert.pem PKI/bob.cert.pem",
    ),
    (
        "enveloped",
        "cms -encrypt -in TEXT -outform DER -aes-256-cbc -recip PKI/alice-1024.cert.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256",
    ),
    ("enveloped", "cms -encrypt -in TEXT -outform DER -aes-256-cbc PKI/alice-ec.cert.pem"),
    (
        "enveloped",
        "cms -encrypt -in TEXT -outform DER -aes-128-cbc -recip PKI/alice-ec.cert.pem -keyopt ecdh_kdf_md:sha384",
    ),
    ("enveloped", "cms -encrypt -in TEXT -outform DER -aes-128-cbc -pwri_password waxseal"),
    (
        "enveloped",
        "cms -encrypt -in TEXT -outform DER -aes-128-cbc -secretkey 30313233343536373839616263646566 -secretkeyid 73656564",
    ),
    (
        "enveloped",
        "cms -encrypt -in TEXT -outform DER -rc2-40 -provider legacy -provider default PKI/alice-1024.cert.pem",
    ),
    ("auth_enveloped", "cms -encrypt -in TEXT -outform DER -aes-128-gcm PKI/alice-1024.cert.pem"),
    ("auth_enveloped", "cms -encrypt -in TEXT -outform DER -aes-256-gcm PKI/alice-ec.cert.pem"),
    (
        "auth_enveloped",
        "cms -encrypt -in TEXT -outform DER -stream -indef -aes-128-gcm -secretkey 30313233343536373839616263646566 -secretkeyid 73656564",
    ),
    ("other_cms", "cms -digest_create -in TEXT -outform DER -md sha256"),
    ("other_cms", "cms -digest_create -in TEXT -outform DER -md sha512 -stream -indef"),
    (
        "other_cms",
        "cms -EncryptedData_encrypt -in TEXT -outform DER -aes-128-cbc -secretkey 30313233343536373839616263646566",
    ),
    ("other_cms", "cms -data_create -in TEXT -outform DER"),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 2048 -inkey PKI/alice-1024.key.pem -in PKI/alice-1024.cert.pem",
    ),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 1000 -name alice -macalg sha512 -keypbe aes-128-cbc -certpbe aes-256-cbc -inkey PKI/alice-ec.key.pem -in PKI/alice-ec.cert.pem -certfile PKI/root-ec.cert.pem",
    ),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 100 -nomac -keypbe NONE -certpbe NONE -inkey PKI/alice-ec.key.pem -in PKI/alice-ec.cert.pem",
    ),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 100 -keypbe NONE -certpbe NONE -inkey PKI/alice-ec.key.pem -in PKI/alice-ec.cert.pem",
    ),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 100 -legacy -inkey PKI/alice-1024.key.pem -in PKI/alice-1024.cert.pem",
    ),
    (
        "pkcs12",
        "pkcs12 -export -passout pass:waxseal -iter 100 -legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-2DES -inkey PKI/alice-ec.key.pem -in PKI/alice-ec.cert.pem",
    ),
    ("pkcs12", "pkcs12 -export -passout pass:waxseal -nokeys -iter 100 -in PKI/alice.cert.pem"),
    ("private_key", "pkcs8 -topk8 -passout pass:waxseal -v2 aes-256-cbc -iter 2048 -in PKI/alice-1024.key.pem"),
    (
        "private_key",
        "pkcs8 -topk8 -passout pass:waxseal -v2 des3 -v2prf hmacWithSHA1 -iter 100 -in PKI/alice-ec.key.pem",
    ),
    (
        "private_key",
        "pkcs8 -topk8 -passout pass:waxseal -scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 1 -in PKI/alice-ec.key.pem",
    ),
    ("private_key", "pkcs8 -topk8 -passout pass:waxseal -v1 PBE-SHA1-3DES -iter 100 -in PKI/alice-p384.key.pem"),
    ("timestamp", "ts -query -data TEXT -sha256 -cert -tspolicy 1.2.3"),
    ("timestamp", "ts -query -data TEXT -sha1 -no_nonce"),
    ("private_key", "pkcs8 -topk8 -nocrypt -outform DER -in PKI/alice-1024.key.pem"),
    ("private_key", "pkcs8 -topk8 -nocrypt -outform DER -in PKI/alice-ec.key.pem"),
    ("private_key", "rsa -traditional -in PKI/alice-1024.key.pem"),
    ("private_key", "rsa -traditional -aes128 -passout pass:waxseal -in PKI/alice-1024.key.pem"),
    ("private_key", "ec -des3 -passout pass:waxseal -in PKI/alice-ec.key.pem"),
    ("private_key", "genpkey -algorithm Ed25519 -outform DER"),
    ("private_key", "genpkey -algorithm X25519 -outform DER"),
    ("private_key", "genpkey -algorithm Ed448 -outform DER"),
    ("private_key", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
    (
        "certificate",
        "req -x509 -newkey ed25519 -noenc -keyout /dev/null -subj /CN=seed/emailAddress=alice@example.test -addext subjectAltName=email:a@example.test,DNS:example.test,IP:192.0.2.1,otherName:1.3.6.1.5.5.7.8.9;UTF8:a@example.test -addext nameConstraints=permitted;email:example.test,excluded;DNS:example.org -addext extendedKeyUsage=emailProtection,anyExtendedKeyUsage -addext certificatePolicies=1.2.3.4",
    ),
    (
        "certificate",
        "req -x509 -newkey rsa:1024 -noenc -keyout /dev/null -subj /CN=seed -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20",
    ),
];

/// CompressedData (RFC 3274) over `hello`, zlib with a block that is stored: few
/// builds of openssl can compress.
const COMPRESSED: &[u8] = &[
    0x30, 0x80, 6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 9, 0xa0, 0x80, 0x30, 0x80, 2, 1,
    0, // version
    0x30, 13, 6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 8, // zlib
    0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1, 0xa0, 0x80, 0x24, 0x80, 4, 16, // content
    0x78, 0x01, 0x01, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o', 0x06, 0x2c, 0x02, 0x15, // zlib stream
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ends
];

/// Makes the seeds of every target below `folder`, anew each time.
pub(super) fn make(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed(folder))?;
    }
    let mut seeds = Seeds { folder: folder.to_owned(), count: 0 };
    for target in super::targets()? {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
    }
    let pki = root().join("vectors/pki");
    for path in files(&pki)? {
        let name = path.to_string_lossy();
        let target = match () {
            () if name.ends_with(".cert.pem") => "certificate",
            () if name.ends_with(".key.pem") => "private_key",
            () => continue,
        };
        seeds.put(target, &fs::read(&path).map_err(failed(&path))?)?;
    }
    seeds.messages()?;
    seeds.by_openssl(&pki)?;
    seeds.time_stamps(&pki)?;
    seeds.put("other_cms", COMPRESSED)?;
    super::sessions::inputs().try_for_each(|session| seeds.put("card", &session))?;
    println!("{} seeds", seeds.count);
    Ok(())
}

struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    fn put(&mut self, target: &str, octets: &[u8]) -> Result<(), String> {
        if octets.len() <= LARGEST {
            let path = self.folder.join(target).join(format!("seed-{:04}", self.count));
            fs::write(&path, octets).map_err(failed(&path))?;
            self.count += 1;
        }
        Ok(())
    }

    /// Every message that the recipes of the corpus make, whole and as the CMS
    /// object in it. Each object is a seed of the BER reader too.
    fn messages(&mut self) -> Result<(), String> {
        visible(cargo().args(["build", "--quiet", "--release"]))?;
        let kept = tempfile::tempdir().map_err(|error| format!("no folder for the cases: {error}"))?;
        let mut run = program(&root().join("target/release/waxseal").to_string_lossy());
        // Without the folder of recordings no case has a byte of others.
        run.args(["run", "--sut", "engine", "--keep"]).arg(kept.path()).arg("--out").arg(kept.path().join("record"));
        visible(run.env_remove("WAXSEAL_RECORDINGS").stdout(Stdio::null()).stderr(Stdio::null()))?;
        let mut folders = vec![kept.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in files(&folder)? {
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name == "message") {
                    self.put("mime", &fs::read(&path).map_err(failed(&path))?)?;
                    let mut object = program("openssl");
                    object.args(["cms", "-cmsout", "-outform", "DER", "-inform", "SMIME", "-in"]).arg(&path);
                    // Many are damaged on purpose, and some are nested deeper than openssl looks.
                    if let Ok(output) = object.output()
                        && output.status.success()
                    {
                        self.object(&output.stdout)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A CMS object, for the target of its content type.
    fn object(&mut self, octets: &[u8]) -> Result<(), String> {
        const TYPES: &[(&[u8], &str)] = &[
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2], "signed"),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3], "enveloped"),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23], "auth_enveloped"),
        ];
        let head = &octets[..octets.len().min(24)];
        let found = TYPES.iter().find(|(oid, _)| head.windows(oid.len()).any(|window| window == *oid));
        self.put(found.map_or("other_cms", |(_, target)| target), octets)?;
        self.put("ber", octets)
    }

    /// Responses and tokens of the authority of the corpus, and a refusal.
    fn time_stamps(&mut self, pki: &Path) -> Result<(), String> {
        let file = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        let (query, response, archive) = (file("query"), file("response"), file("archive"));
        let [key, certificate, chain] = ["tsa.key.pem", "tsa.cert.pem", "root-ec.cert.pem"]
            .map(|name| pki.join(name).to_string_lossy().into_owned());
        let waxseal = |arguments: String| -> Result<Vec<u8>, String> {
            let mut command = program(&root().join("target/release/waxseal").to_string_lossy());
            // A refusal ends with 1, and is an answer all the same.
            let output = command.arg("timestamp").args(arguments.split(' ')).output();
            Ok(output.map_err(|error| format!("waxseal: {error}"))?.stdout)
        };
        let put = |path: &str, octets: &[u8]| fs::write(path, octets).map_err(failed(Path::new(path)));
        for (asked, answered) in [
            ("", "--chain CHAIN --accuracy 1500 --ordering"),
            ("--digest sha-512 --no-certificates --no-nonce", "--compact"),
            ("--digest sha-1", ""),
            ("--policy-oid 1.2.4", ""),
        ] {
            put(&query, &waxseal(format!("query {key} {asked}").trim_end().to_owned())?)?;
            let answered = answered.replace("CHAIN", &chain);
            let line = format!("reply {query} --key {key} --cert {certificate} --policy-oid 1.2.3 {answered}");
            put(&response, &waxseal(line.trim_end().to_owned())?)?;
            self.put("timestamp", &fs::read(&query).map_err(failed(Path::new(&query)))?)?;
            self.put("timestamp", &fs::read(&response).map_err(failed(Path::new(&response)))?)?;
            let token = waxseal(format!("compact {response} --archive {archive}"))?;
            if !token.is_empty() {
                self.put("timestamp", &token)?;
            }
        }
        for name in [query, response, archive] {
            let path = Path::new(&name);
            fs::remove_file(path).map_err(failed(path))?;
        }
        Ok(())
    }

    fn by_openssl(&mut self, pki: &Path) -> Result<(), String> {
        let text = self.folder.join("text");
        fs::write(&text, "Content-Type: text/plain\r\nFrom: alice@example.test\r\n\r\nHello.\r\n")
            .map_err(failed(&text))?;
        for (target, arguments) in MADE {
            let mut command = program("openssl");
            command.args(
                arguments
                    .split(' ')
                    .map(|word| word.replace("PKI", &pki.to_string_lossy()).replace("TEXT", &text.to_string_lossy())),
            );
            let made = command.output().map_err(|error| format!("openssl: {error}"))?;
            if !made.status.success() {
                let said = String::from_utf8_lossy(&made.stderr);
                return Err(format!("{}: {}", line(&command), said.trim()));
            }
            self.put(target, &made.stdout)?;
            if made.stdout.first() == Some(&0x30) {
                self.put("ber", &made.stdout)?;
            }
        }
        fs::remove_file(&text).map_err(failed(&text))
    }
}
