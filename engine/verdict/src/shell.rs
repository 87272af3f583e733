//! Commands that a person copies into a shell.

/// A word as a POSIX shell reads it: as it is where no shell makes anything of
/// it, else in single quotes.
///
/// What begins with `-` stays so: whether it is an option is for the command to say.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&octet);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("a/b.pem", "a/b.pem"),
            ("signed/clear/rsa-sha256", "signed/clear/rsa-sha256"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("./my shim", "'./my shim'"),
            ("a; rm b", "'a; rm b'"),
            ("matrix/*/engine", "'matrix/*/engine'"),
            ("$(date)", "'$(date)'"),
            ("~", "'~'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
