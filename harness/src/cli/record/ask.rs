//! What only the person who captured a mail can say: asked on a terminal, and
//! an option everywhere else.

use std::io::{IsTerminal as _, stderr, stdin};
use std::path::Path;

use crate::capture::Private;
use crate::exit::Failed;

/// Options that are missing where nobody can be asked.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<String>);

impl Missing {
    /// Refuses to go on without them, all at once.
    pub(super) fn refuse(&self, file: &Path) -> Result<(), Failed> {
        if self.0.is_empty() {
            return Ok(());
        }
        let list = self.0.join("\n  ");
        Err(Failed::usage(format!("{}: nobody is there to be asked; say it with\n  {list}", file.display())))
    }
}

/// Who answers questions.
pub(super) trait Answers {
    /// The answer to a question; `None` if nobody is there.
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failed>;

    /// An answer that is not empty; where nobody is there, `option` is missing.
    fn answer(&mut self, missing: &mut Missing, question: &str, option: &str) -> Result<Option<String>, Failed> {
        for _ in 0..3 {
            match self.ask(question)? {
                None => {
                    missing.0.push(option.to_owned());
                    return Ok(None);
                }
                Some(answer) if !answer.is_empty() => return Ok(Some(answer)),
                Some(_) => {}
            }
        }
        Err(Failed::usage(format!("no answer; say it with {option}")))
    }

    /// Whether all of this may be published. Only the whole word says so.
    fn agrees(&mut self, missing: &mut Missing, private: &[Private]) -> Result<bool, Failed> {
        let count = private.iter().filter(|one| !one.harmless).count();
        let question = format!("May this mail be published, with {count} things that it tells? (yes or no)");
        match self.ask(&question)? {
            None => {
                missing.0.push("--publish yes, or --publish no: then only facts are written".to_owned());
                Ok(false)
            }
            Some(answer) => Ok(answer.eq_ignore_ascii_case("yes")),
        }
    }
}

/// Whoever sits at the terminal.
#[derive(Debug)]
pub(super) struct Terminal;

impl Answers for Terminal {
    fn ask(&mut self, question: &str) -> Result<Option<String>, Failed> {
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return Ok(None);
        }
        eprint!("{question} ");
        let mut line = String::new();
        let read = stdin().read_line(&mut line).map_err(|error| Failed::usage(format!("standard input: {error}")))?;
        if read == 0 {
            return Err(Failed::usage("standard input ended; nothing is written"));
        }
        Ok(Some(line.trim().to_owned()))
    }
}
