//! `--case GLOB`: which cases of the corpus are meant.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Case;

/// A choice of cases by globs over their ids; without a glob, all.
#[derive(Debug, Clone)]
pub struct Selection {
    set: GlobSet,
    globs: Vec<String>,
}

/// A glob that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{glob:?} is no glob: {why}; try signed/clear/* or **/*-p384")]
pub struct SelectionError {
    /// The glob as it was given.
    pub glob: String,
    /// What is wrong with it.
    pub why: String,
}

impl Selection {
    /// `*` stays inside one part of an id, `**` crosses them; a plain prefix
    /// that ends in `/` means everything below it.
    ///
    /// # Errors
    /// A glob cannot be parsed.
    pub fn new<S: AsRef<str>>(globs: &[S]) -> Result<Self, SelectionError> {
        let mut builder = GlobSetBuilder::new();
        for glob in globs {
            let glob = glob.as_ref();
            let written = if glob.ends_with('/') { format!("{glob}**") } else { glob.to_owned() };
            let parsed = GlobBuilder::new(&written).literal_separator(true).build();
            builder.add(parsed.map_err(|error| refused(glob, &error))?);
        }
        let set = builder.build().map_err(|error| refused("", &error))?;
        Ok(Self { set, globs: globs.iter().map(|glob| glob.as_ref().to_owned()).collect() })
    }

    /// A glob that means exactly this part of an id, whatever signs are in it.
    #[must_use]
    pub fn literal(part: &str) -> String {
        let sign = |one: char| if "*?[]{}\\".contains(one) { format!("[{one}]") } else { one.to_string() };
        part.chars().map(sign).collect()
    }

    /// Whether a case is meant.
    #[must_use]
    pub fn contains(&self, case: &Case) -> bool {
        self.contains_id(&case.id)
    }

    /// Whether what has this id is meant.
    #[must_use]
    pub fn contains_id(&self, id: &str) -> bool {
        self.globs.is_empty() || self.set.is_match(id)
    }

    /// The globs that mean none of these cases: most likely a slip of the pen.
    #[must_use]
    pub fn unmatched<'a>(&'a self, cases: &[Case]) -> Vec<&'a str> {
        let mut used = vec![false; self.globs.len()];
        for case in cases {
            for index in self.set.matches(&case.id) {
                used[index] = true;
            }
        }
        self.globs.iter().zip(used).filter(|(_, used)| !used).map(|(glob, _)| glob.as_str()).collect()
    }
}

fn refused(glob: &str, error: &globset::Error) -> SelectionError {
    SelectionError { glob: glob.to_owned(), why: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_means_itself_alone() {
        for part in ["rsa-sha256", "a*b", "a?b", "[ab]", "![a]", "{a,b}", r"a\b", "it's a; b"] {
            let selection = Selection::new(&[format!("matrix/*/{}", Selection::literal(part))]).unwrap();
            assert!(selection.contains_id(&format!("matrix/x/{part}")), "{part}");
            assert!(!selection.contains_id("matrix/x/a") && !selection.contains_id("matrix/x/aab"), "{part}");
        }
    }
}
