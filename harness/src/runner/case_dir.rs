//! The directory of a case: everything a shim reads and writes for one
//! request, so that it can be repeated by hand.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use time::format_description::well_known::Rfc3339;
use waxseal_verdict::shell_word;

use super::RunError;
use super::judge::{Content, Judged};
use crate::shim::protocol::{Answer, EarlierMail, KeyFiles, OpenArguments, Request};
use crate::sut::Sut;
use crate::sut::child::Failure;
use crate::sut::left::{self, Unread};
use crate::task::{CaseFiles, Task};

/// Name of the file in which a person who repeats it by hand keeps what earlier mail taught.
const ADDRESS_BOOK: &str = "address-book.json";
/// Name of the file that the shim writes the innermost entity to.
const OUT: &str = "content";

/// Octets of everything in a directory. Links are not followed: what they lead to is not in here.
fn octets(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let octets = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => octets(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    octets.fold(0, u64::saturating_add)
}

/// An empty directory of this name; the result is its absolute path, because a
/// relative `--keep DIR` means nothing in the shim's working directory.
pub(crate) fn fresh_dir(path: &Path) -> Result<PathBuf, RunError> {
    // What an earlier run left would be taken for this one's.
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(RunError::at("an earlier run's directory cannot be removed:", path)(error));
        }
        _ => {}
    }
    fs::create_dir_all(path).map_err(RunError::at("cannot create", path))?;
    path.canonicalize().map_err(RunError::at("cannot find", path))
}

/// A written case directory.
#[derive(Debug)]
pub(super) struct CaseDir {
    path: PathBuf,
    kept: bool,
    arguments: OpenArguments,
    /// Octets of what the shim was given.
    given: u64,
}

impl CaseDir {
    /// Writes the files of a case; a kept directory also gets what a person needs.
    pub(super) fn write(
        path: PathBuf,
        kept: bool,
        task: &Task,
        sut: &Sut,
        files: &CaseFiles,
    ) -> Result<Self, RunError> {
        let path = fresh_dir(&path)?;
        let arguments = arguments(&path, task, files, |name, octets| write(&path.join(name), octets))?;
        let mut dir = Self { path, kept, arguments, given: 0 };
        if kept {
            dir.write_request(task, sut)?;
        }
        dir.given = octets(&dir.path);
        Ok(dir)
    }

    /// The arguments of the request that concerns this directory.
    pub(super) const fn arguments(&self) -> &OpenArguments {
        &self.arguments
    }

    /// What the shim wrote as the innermost entity.
    ///
    /// The octets too, if they are wanted for comparison.
    pub(super) fn content(&self, limit: u64, wanted: bool) -> Content {
        let path = self.path.join(OUT);
        let read = match wanted {
            true => left::read(&path, limit).map(|octets| (sha256(octets.as_slice()), Some(octets))),
            false => left::open(&path, limit).map(|file| (sha256(file), None)),
        };
        match read {
            Ok((Ok(sha256), octets)) => Content::Some { sha256, octets },
            Ok((Err(error), _)) => Content::Unusable(format!("content: {error}")),
            Err(Unread::Missing) => Content::None,
            Err(Unread::TooLarge(limit)) => Content::Unusable(format!("content of more than {limit} octets")),
            Err(other) => Content::Unusable(format!("content: {other}")),
        }
    }

    /// Octets of everything that the shim left in the directory.
    pub(super) fn left(&self) -> u64 {
        octets(&self.path).saturating_sub(self.given)
    }

    /// Leaves the answer beside the request.
    pub(super) fn keep_answer(
        &self,
        answer: &Result<Answer, Failure>,
        judged: &Judged,
        stderr: &str,
    ) -> Result<(), RunError> {
        let text = match answer {
            Ok(answer) => serde_json::to_string_pretty(&answer.clone().into_line(1)).unwrap_or_default() + "\n",
            Err(failure) => format!("no answer: {failure}\n"),
        };
        write(&self.path.join("answer.json"), text.as_bytes())?;
        let reason = judged.reason.as_deref().unwrap_or("everything came out as expected");
        write(&self.path.join("outcome.txt"), format!("{}: {reason}\n", judged.outcome).as_bytes())?;
        if stderr.is_empty() { Ok(()) } else { write(&self.path.join("stderr.txt"), stderr.as_bytes()) }
    }

    /// Removes the directory unless it is to be kept.
    pub(super) fn clean(self) {
        if !self.kept {
            // The temporary directory around it is removed at the end anyway.
            let _ = fs::remove_dir_all(&self.path);
        }
    }

    fn write_request(&self, task: &Task, sut: &Sut) -> Result<(), RunError> {
        // In a kept directory the paths are relative to it, so that it can be moved.
        let arguments = OpenArguments { dir: ".".to_owned(), ..self.arguments.clone() };
        let request = Request::open(1, &arguments).and_then(|request| serde_json::to_string(&request));
        write(&self.path.join("request.json"), (request.unwrap_or_default() + "\n").as_bytes())?;
        let expected = serde_json::to_string_pretty(&task.expectation).unwrap_or_default() + "\n";
        write(&self.path.join("expected.json"), expected.as_bytes())?;
        write(&self.path.join("README.md"), self.readme(task, sut).as_bytes())
    }

    fn readme(&self, task: &Task, sut: &Sut) -> String {
        let arguments = &self.arguments;
        let earlier =
            arguments.earlier.iter().map(|mail| self.open_command(&mail.message, Some(&mail.clock)) + " --learn");
        let open = earlier.chain([self.open_command(&arguments.message, arguments.clock.as_ref())]);
        let open = open.collect::<Vec<_>>().join("\n    ");
        let shim = std::iter::once(shell_word(&program_name(&sut.command.program)))
            .chain(sut.command.arguments.iter().map(|argument| shell_word(argument)))
            .collect::<Vec<_>>()
            .join(" ");
        format!(
            "# {case} on {sut}\n\n\
             Everything this request needs is in this directory. To repeat it here:\n\n\
             \x20   {shim} < request.json\n\n\
             What the reference engine says of the message:\n\n\
             \x20   {open}\n\n\
             - `request.json`: the request as the shim got it (protocol: harness/SHIM.md)\n\
             - `answer.json`: its answer; `stderr.txt`: what it wrote beside it\n\
             - `content`: the innermost entity, as the shim wrote it\n\
             - `expected.json`: what had to come out; `outcome.txt`: what the harness made of it\n",
            case = task.id,
            sut = sut.name,
        )
    }

    /// What opens one of its mails by hand.
    fn open_command(&self, message: &str, clock: Option<&String>) -> String {
        let mut open = format!("waxseal open {message}");
        let mut option = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                open.push_str(&format!(" {name} {value}"));
            }
        };
        let arguments = &self.arguments;
        option("--content", &arguments.content.clone().filter(|_| message == arguments.message));
        option("--address-book", &(!arguments.earlier.is_empty()).then(|| ADDRESS_BOOK.to_owned()));
        for key in &arguments.keys {
            option("--key", &Some(key.key.clone()));
            option("--cert", &key.certificate);
        }
        option("--anchor", &arguments.anchors);
        option("--extra-cert", &arguments.extra_certificates);
        for (name, files) in [("--crl", &arguments.crls), ("--ocsp", &arguments.ocsp)] {
            for file in files {
                option(name, &Some(file.clone()));
            }
        }
        for password in &arguments.passwords {
            option("--password", &Some(shell_word(password)));
        }
        for shared in &arguments.symmetric_keys {
            option("--kek", &Some(format!("{}:{}", shared.id, shared.key)));
        }
        option("--at", &clock.cloned());
        option("--from", &arguments.from);
        option("--policy", &arguments.policy);
        if arguments.require_revocation {
            open.push_str(" --require-revocation");
        }
        open
    }
}

/// Writes the files of a case and names them in the arguments of `open`.
fn arguments(
    dir: &Path,
    task: &Task,
    files: &CaseFiles,
    write: impl Fn(&str, &[u8]) -> Result<(), RunError>,
) -> Result<OpenArguments, RunError> {
    let write_some = |name: &str, octets: &[u8]| -> Result<Option<String>, RunError> {
        if octets.is_empty() {
            return Ok(None);
        }
        write(name, octets)?;
        Ok(Some(name.to_owned()))
    };
    let write_all = |name: &str, end: &str, all: &[Vec<u8>]| -> Result<Vec<String>, RunError> {
        let named = |(number, octets): (usize, &Vec<u8>)| {
            let name = format!("{name}-{}.{end}", number + 1);
            write(&name, octets)?;
            Ok(name)
        };
        all.iter().enumerate().map(named).collect()
    };
    write("message", &files.message)?;
    let content = match &files.content {
        Some(content) => {
            write("detached-content", content)?;
            Some("detached-content".to_owned())
        }
        None => None,
    };
    let mut earlier = Vec::new();
    for (number, (mail, clock)) in (1..).zip(&files.earlier) {
        let message = format!("earlier-{number}");
        write(&message, mail)?;
        earlier.push(EarlierMail { message, clock: clock.date_time().format(&Rfc3339).unwrap_or_default() });
    }
    let mut keys = Vec::new();
    for (number, key) in files.keys.iter().enumerate() {
        let number = number + 1;
        let name = format!("key-{number}.pem");
        write(&name, key.key.as_bytes())?;
        let certificate = key.certificate.as_deref().unwrap_or_default();
        let certificate = write_some(&format!("key-{number}-certificate.pem"), certificate.as_bytes())?;
        keys.push(KeyFiles { key: name, certificate });
    }
    Ok(OpenArguments {
        dir: dir.to_string_lossy().into_owned(),
        message: "message".to_owned(),
        content,
        keys,
        anchors: write_some("anchors.pem", files.anchors.as_bytes())?,
        extra_certificates: write_some("extra-certificates.pem", files.extra_certificates.as_bytes())?,
        crls: write_all("crl", "crl", &files.crls)?,
        ocsp: write_all("ocsp", "der", &files.ocsp)?,
        passwords: files.passwords.clone(),
        symmetric_keys: files.symmetric_keys.clone(),
        earlier,
        clock: task.clock.format(&Rfc3339).ok(),
        from: task.from.clone(),
        pin: None,
        policy: task.policy.clone(),
        require_revocation: task.require_revocation,
        out: OUT.to_owned(),
    })
}

fn write(path: &Path, octets: &[u8]) -> Result<(), RunError> {
    // A shim may have put anything where its answer is to be kept.
    left::replace(path, octets).map_err(RunError::at("cannot write", path))
}

/// The shipped shims are `waxseal` itself, wherever this one was built.
fn program_name(program: &Path) -> String {
    let own = std::env::current_exe().is_ok_and(|own| own == program);
    if own { "waxseal".to_owned() } else { program.to_string_lossy().into_owned() }
}

fn sha256(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = [0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect()),
            read => hash.update(&buffer[..read]),
        }
    }
}
