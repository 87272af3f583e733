//! Writing CMS objects.
