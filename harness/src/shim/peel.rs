//! The loop over the layers of a message, for peers that know objects and no
//! mail: they judge one object, and what was inside goes in again.

use std::io;
use std::path::Path;

use waxseal_verdict::{Aspect, Kind, Layer, Verdict};

use super::mail::{self, Found, Object};
use super::program::Trouble;
use super::protocol::{Answer, OpenArguments};

/// Layers that are peeled at most; no mail of the corpus comes near.
const MOST_LAYERS: usize = 16;

/// What to do after an object was judged.
#[derive(Debug)]
pub(crate) enum Step {
    /// What was inside is in this file of the case directory.
    Into(String),
    /// Nothing came out.
    End,
    /// The peer has no reading of such objects, and why.
    Unsupported(String),
}

/// A peer that judges objects.
pub(crate) trait Judge {
    /// Its name as a SUT; files that it leaves begin with it.
    const NAME: &'static str;

    /// Judges an object, and pushes what it says as a layer.
    ///
    /// # Errors
    /// The program behind it crashed, or something around it is wrong.
    fn judge(&mut self, object: Object, peeling: &mut Peeling<'_>) -> Result<Step, Trouble>;
}

/// One message on its way through the layers.
#[derive(Debug)]
pub(crate) struct Peeling<'a> {
    /// What `open` was given.
    pub(crate) arguments: &'a OpenArguments,
    /// The case directory.
    pub(crate) dir: &'a Path,
    name: &'static str,
    layers: Vec<Layer>,
    native: Vec<String>,
}

impl Peeling<'_> {
    /// Appends a layer. `object` names it in its path; its structure is good
    /// unless `judge` says otherwise.
    pub(crate) fn push(&mut self, object: &str, kind: Kind, judge: impl FnOnce(&mut Layer)) {
        let path = match self.layers.last() {
            Some(outer) => format!("{}/1/{object}", outer.path),
            None => format!("1/{object}"),
        };
        let mut layer = Layer::new(path, kind);
        layer.structure = Aspect::Good;
        judge(&mut layer);
        self.layers.push(layer);
    }

    /// Keeps the peer's own words.
    pub(crate) fn says(&mut self, words: impl IntoIterator<Item = String>) {
        self.native.extend(words.into_iter().filter(|words| !words.is_empty()));
    }

    /// The name of a file for the layer that is judged now.
    pub(crate) fn file(&self, end: &str) -> String {
        format!("{}-{}.{end}", self.name, self.layers.len() + 1)
    }

    /// Writes a file of the case directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn put(&self, name: &str, octets: &[u8]) -> Result<(), Trouble> {
        put(self.dir, name, octets)
    }
}

/// Writes a file of a case directory.
///
/// # Errors
/// It cannot be written.
pub(crate) fn put(dir: &Path, name: &str, octets: &[u8]) -> Result<(), Trouble> {
    std::fs::write(dir.join(name), octets).map_err(|error| at(name, &error))
}

/// Reads a file of a case directory.
///
/// # Errors
/// It cannot be read.
pub(crate) fn get(dir: &Path, name: &str) -> Result<Vec<u8>, Trouble> {
    std::fs::read(dir.join(name)).map_err(|error| at(name, &error))
}

/// What is wrong with a file of the case directory.
pub(crate) fn at(name: &str, error: &io::Error) -> Trouble {
    Trouble::Shim(format!("{name}: {error}"))
}

/// Peels a message with a peer, and writes what is innermost to `out` unless something was bad.
///
/// # Errors
/// As [`Judge::judge`].
pub(crate) fn peel<J: Judge>(judge: &mut J, arguments: &OpenArguments) -> Result<Answer, Trouble> {
    let dir = Path::new(&arguments.dir);
    let mut peeling = Peeling { arguments, dir, name: J::NAME, layers: Vec::new(), native: Vec::new() };
    let mut inside = arguments.message.clone();
    while peeling.layers.len() < MOST_LAYERS {
        let outermost = peeling.layers.is_empty();
        let object = match mail::object(&dir.join(&inside), outermost).map_err(|error| at(&inside, &error))? {
            Found::Object(mut object) => {
                if outermost && let Some(content) = &arguments.content {
                    object.content = Some(get(dir, content)?);
                }
                object
            }
            // Seen by the engine's reader, and not by the peer.
            Found::Malformed(why) => {
                let why = format!("{} reads no mail, and its object cannot be taken out: {why}", J::NAME);
                return Ok(Answer::Unsupported(why));
            }
            Found::Nothing if outermost => {
                return Ok(Answer::Unsupported(format!("{} reads no mail without an object", J::NAME)));
            }
            Found::Nothing => break,
        };
        match judge.judge(object, &mut peeling)? {
            Step::Into(name) => inside = name,
            Step::End => break,
            Step::Unsupported(why) => return Ok(Answer::Unsupported(why)),
        }
    }
    let verdict = Verdict::new(J::NAME, peeling.layers);
    if !verdict.has_bad() && !verdict.layers.is_empty() {
        std::fs::copy(dir.join(&inside), dir.join(&arguments.out)).map_err(|error| at(&arguments.out, &error))?;
    }
    let native = (!peeling.native.is_empty()).then(|| peeling.native.join(" | "));
    Ok(Answer::Verdict(verdict, native))
}
