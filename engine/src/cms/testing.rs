//! For tests: a structure whose fields can be dropped and changed one by one.

use waxseal_verdict::Reason;

use super::CmsError;
use crate::ber::{Cursor, writer};

/// An element and the elements inside it. A field is named by its path: the
/// index on each level.
#[derive(Clone)]
pub(crate) struct Tree {
    identifier: u8,
    content: Vec<u8>,
    inside: Vec<Tree>,
}

/// What stands in the place of a field: an ENUMERATED, which no field of CMS is.
const WRONG: [u8; 3] = [0x0a, 1, 0];

impl Tree {
    pub(crate) fn parse(der: &[u8]) -> Self {
        let mut cursor = Cursor::new(der, 0);
        let tree = Self::next(&mut cursor).unwrap();
        cursor.end().unwrap();
        tree
    }

    fn next(cursor: &mut Cursor<'_>) -> Option<Self> {
        let element = cursor.take().unwrap()?;
        let mut inside = element.inside();
        let inside =
            if element.constructed { std::iter::from_fn(|| Self::next(&mut inside)).collect() } else { Vec::new() };
        let content = if element.constructed { Vec::new() } else { element.content.to_vec() };
        Some(Self { identifier: element.identifier(), content, inside })
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let inside: Vec<u8> = self.inside.iter().flat_map(Self::der).collect();
        writer::element(self.identifier, &[self.content.as_slice(), &inside].concat())
    }

    /// Without the field at `path`.
    pub(crate) fn without(&self, path: &[usize]) -> Self {
        self.changed(path, |list, index| {
            list.remove(index);
        })
    }

    /// With an element of another type at `path`.
    pub(crate) fn with_wrong(&self, path: &[usize]) -> Self {
        self.changed(path, |list, index| list[index] = Self::parse(&WRONG))
    }

    /// With an element more after the last one inside `path`.
    pub(crate) fn with_surplus(&self, path: &[usize]) -> Self {
        let last = self.at(path).inside.len();
        self.changed(&[path, &[last]].concat(), |list, _| list.push(Self::parse(&WRONG)))
    }

    /// Offset of the element at `path`, or of where it would stand.
    pub(crate) fn offset(&self, path: &[usize]) -> usize {
        let Some((index, deeper)) = path.split_first() else { return 0 };
        let content: usize = self.inside.iter().map(|inner| inner.der().len()).sum();
        let before: usize = self.inside[..*index].iter().map(|inner| inner.der().len()).sum();
        let header = self.der().len() - content;
        header + before + self.inside.get(*index).map_or(0, |inner| inner.offset(deeper))
    }

    fn at(&self, path: &[usize]) -> &Self {
        path.iter().fold(self, |tree, index| &tree.inside[*index])
    }

    fn changed(&self, path: &[usize], change: impl FnOnce(&mut Vec<Self>, usize)) -> Self {
        let mut tree = self.clone();
        let (last, above) = path.split_last().unwrap();
        change(&mut above.iter().fold(&mut tree, |tree, index| &mut tree.inside[*index]).inside, *last);
        tree
    }
}

/// A field: its path, the field that the error names, and the words that it
/// has for what was expected.
pub(crate) type Row = (&'static [usize], &'static str, &'static str);

/// Drops each field of `required`, and puts something else in the place of
/// each of `required` and `typed`: the error has field, words and offset.
/// An element after the last one of `closed` is an error that names its offset.
pub(crate) fn check_fields<T: std::fmt::Debug>(
    tree: &Tree,
    read: impl Fn(&[u8]) -> Result<T, CmsError>,
    required: &[Row],
    typed: &[Row],
    closed: &[(&[usize], &str)],
) {
    read(&tree.der()).unwrap();
    let check = |altered: &Tree, path: &[usize], field: &str, words: &str| {
        let error = read(&altered.der()).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::BadBer, field), "{path:?}: {error}");
        let place = format!(" at offset {}", altered.offset(path));
        let shown = error.detail.clone() + " ";
        assert!(shown.contains(words) && shown.contains(&(place + " ")), "{path:?}: {error}");
    };
    for (path, field, words) in required {
        check(&tree.without(path), path, field, words);
    }
    for (path, field, words) in required.iter().chain(typed) {
        check(&tree.with_wrong(path), path, field, words);
    }
    for (path, field) in closed {
        let after = [*path, &[tree.at(path).inside.len()]].concat();
        check(&tree.with_surplus(path), &after, field, "");
    }
}
