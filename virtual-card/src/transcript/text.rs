//! Transcripts as text.

use std::{fmt, str::FromStr};

use super::{Failure, Line, Octets, Transcript};
use crate::Command;

/// The first line, with the number of the format.
const HEAD: &str = "waxseal card transcript 1";

/// A text that is no transcript: at which line, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NotATranscript {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atr(octets) => write!(f, "atr {}", Octets::new(octets)),
            Self::Reset => f.write_str("reset"),
            Self::Command(octets) => write!(f, "> {}", octets.grouped(&command_groups(octets))),
            Self::Response(octets) => write!(f, "< {}", octets.grouped(&[octets.len().saturating_sub(2)])),
            Self::Failed(failure) => write!(f, "lost {}", failure.word()),
            Self::Begin => f.write_str("begin"),
            Self::End => f.write_str("end"),
            Self::Reconnect => f.write_str("reconnect"),
            Self::Note(text) => write!(f, "# {}", text.replace(['\n', '\r'], " ")),
        }
    }
}

/// Header, Lc, data and Le stand apart where they can be told.
fn command_groups(octets: &Octets) -> Vec<usize> {
    let raw = octets.or_zeros();
    match Command::parse(&raw) {
        Ok(command) if !command.data.is_empty() => {
            let lc = if raw[4] == 0 { 3 } else { 1 };
            vec![4, lc, command.data.len()]
        }
        _ => vec![4],
    }
}

impl FromStr for Transcript {
    type Err = NotATranscript;

    fn from_str(text: &str) -> Result<Self, NotATranscript> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |why: &str| NotATranscript { line: number, why: why.to_owned() };
            if number == 1 {
                match line.strip_prefix("waxseal card transcript ") {
                    Some(_) if line.trim_end() == HEAD => continue,
                    Some(_) => return Err(wrong("a transcript of another format; this program reads format 1")),
                    None => return Err(wrong("no transcript: the first line is not `waxseal card transcript 1`")),
                }
            }
            if !line.trim().is_empty() {
                lines.push(read(line.trim()).map_err(wrong)?);
            }
        }
        match text.is_empty() {
            true => Err(NotATranscript { line: 1, why: "no transcript: it is empty".to_owned() }),
            false => Ok(Self { lines }),
        }
    }
}

fn read(line: &str) -> Result<Line, &'static str> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let octets = || Octets::read(rest).ok_or("neither hexadecimal digits nor `**`");
    Ok(match word {
        "atr" => Line::Atr(octets()?.or_zeros()),
        "reset" => Line::Reset,
        ">" => Line::Command(octets()?),
        "<" => Line::Response(octets().and_then(|octets| match octets.len() {
            0 | 1 => Err("a response without a status word"),
            _ => Ok(octets),
        })?),
        "lost" => Line::Failed(Failure::by_word(rest).ok_or("no such reason for a missing answer")?),
        "begin" => Line::Begin,
        "end" => Line::End,
        "reconnect" => Line::Reconnect,
        "#" => Line::Note(rest.to_owned()),
        _ => return Err("it begins with none of `>`, `<`, `atr`, `reset`, `lost`, `begin`, `end`, `reconnect`, `#`"),
    })
}
