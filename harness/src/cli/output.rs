//! What commands print: once, whole, and harmless to a terminal.

use std::io::{self, ErrorKind, IsTerminal, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use waxseal_engine::io::Sink;
use waxseal_verdict::{Aspect, Outcome};

use crate::exit::Failed;

/// Prints to standard output. A reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), Failed> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failed::usage(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Prints a value as indented JSON.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).map_err(Failed::fault)?;
    print(&(text + "\n"))
}

/// Text of a mail with everything that could steer a terminal made visible.
pub(super) fn harmless(text: &str) -> String {
    let visible = |character: char| match character {
        // Bidirectional controls and invisible characters can make one address look like another.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            character.escape_unicode().to_string()
        }
        _ if character.is_control() => character.escape_default().to_string(),
        _ => character.to_string(),
    };
    text.chars().map(visible).collect()
}

pub(super) fn harmless_lines(text: &str) -> String {
    text.lines().map(|line| harmless(line) + "\n").collect()
}

/// Colours, where a person looks at a terminal and did not forbid them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        // https://no-color.org: any value but the empty one.
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(io::stdout().is_terminal() && !forbidden)
    }

    /// Without colours.
    #[cfg(test)]
    pub(super) const fn plain() -> Self {
        Self(false)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn aspect(self, aspect: &Aspect) -> String {
        let colour = match aspect {
            Aspect::Good => "32",
            Aspect::Bad(_) => "31",
            Aspect::Unchecked(_) => "33",
            Aspect::Absent => "2",
        };
        self.with(colour, &aspect.to_string())
    }

    /// Something that is wrong.
    pub(super) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn outcome(self, outcome: Outcome) -> String {
        let colour = match outcome {
            Outcome::Pass => "32",
            Outcome::Fail | Outcome::Crash | Outcome::Hang | Outcome::ShimError => "31",
            _ => "33",
        };
        self.with(colour, outcome.code())
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Writes a file that is there whole or not at all: `write` gets a temporary
/// file of the same directory, which takes the name only after it succeeded.
pub(super) fn replace_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Sink) -> Result<T, Failed>,
) -> Result<T, Failed> {
    if path == Path::new("-") {
        return Err(Failed::usage("-: the name of a file is needed here"));
    }
    let at = || path.display().to_string();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A temporary file is its owner's alone; an output file is what the umask says.
    let mut file = tempfile::Builder::new()
        .prefix(".waxseal-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(parent)
        .map_err(Failed::at(at()))?;
    let mut buffer = io::BufWriter::new(file.as_file_mut());
    let value = write(&mut buffer)?;
    buffer.flush().map_err(Failed::at(at()))?;
    drop(buffer);
    file.persist(path).map_err(|error| Failed::usage(format!("{}: {}", at(), error.error)))?;
    Ok(value)
}

/// Writes a file as [`replace_file`] does, or to standard output, which is `-`, too.
pub(super) fn to_file_or_stdout(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Sink) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        // A mail that failed half way must not look like one that is whole.
        let mut spool = tempfile::SpooledTempFile::new(1 << 20);
        write(&mut spool)?;
        let rewound = spool.seek(SeekFrom::Start(0)).and_then(|_| io::copy(&mut spool, &mut io::stdout().lock()));
        return match rewound {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failed::usage(format!("standard output: {error}")))
            }
            _ => Ok(()),
        };
    };
    replace_file(path, write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_mail_steers_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\rc\u{202e}d\u{e9}"), "a\\u{1b}[31mb\\rc\\u{202e}d\u{e9}");
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let failed = replace_file(&path, |out| {
            out.write_all(b"half").map_err(Failed::fault)?;
            Err::<(), _>(Failed::bad("no"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        replace_file(&path, |out| out.write_all(b"whole").map_err(Failed::fault)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
