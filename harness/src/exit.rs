//! How the command ends: CONTRACT "Exit codes of every command".

use std::fmt;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Nothing bad.
    Good = 0,
    /// Something bad, or the run or gate failed.
    Bad = 1,
    /// Wrong use, missing file, wrong password or PIN.
    Usage = 2,
    /// The input is neither mail nor CMS.
    NotAMessage = 3,
    /// An internal fault.
    Fault = 70,
}

/// What stands under a `--help`: examples, then the exit codes.
macro_rules! help {
    ($($examples:literal),* $(,)?) => {
        concat!(
            "Examples:
",
            $("  ", $examples, "
",)*
            "
\
Exit codes:
  \
  0   nothing bad
  \
  1   something bad, or the run or gate failed
  \
  2   wrong use, missing file, wrong password or PIN
  \
  3   the input is neither mail (no header field) nor CMS
  \
  70  an internal fault; please report it"
        )
    };
}

pub(crate) use help;

/// An error that ends the command, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong, where, and what to do; without `error: `.
    pub message: String,
}

impl Failed {
    /// Wrong use, missing file, wrong password.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// Something is bad.
    pub fn bad(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Bad, message: message.to_string() }
    }

    /// The machine does not do what it always does.
    pub fn fault(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Fault, message: message.to_string() }
    }

    /// Names the file that an error is about.
    pub fn at<E: fmt::Display>(place: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::usage(format!("{place}: {error}"))
    }
}
