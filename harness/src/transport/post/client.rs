//! The client of all servers: curl, one transfer a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use waxseal_model::{Fetch, FetchBy, Security, Submit, SubmitBy};

use super::{HOST, dovecot, find, postfix};

/// Seconds of one transfer.
const PATIENCE: &str = "20";
/// Who sends, in the envelope, and what the client calls itself.
const SENDER: &str = "alice@example.test";
const CLIENT: &str = "client.example.test";

/// What went wrong with a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server said no.
    Refused(String),
    /// Anything else.
    Failed(String),
}

/// The client, and what it trusts.
#[derive(Debug)]
pub(super) struct Client {
    program: PathBuf,
    trusted: PathBuf,
}

impl Client {
    pub(super) fn new(trusted: PathBuf) -> Result<Self, String> {
        Ok(Self { program: find("curl").ok_or("curl is not here")?, trusted })
    }

    /// Gives a mail to a server.
    pub(super) fn submit(&self, how: &Submit, mailbox: &str, mail: &Path) -> Result<(), Trouble> {
        let (scheme, port) = match (how.by, how.security) {
            (SubmitBy::Smtp, Security::Tls) => ("smtps", 465),
            (SubmitBy::Smtp, _) => ("smtp", 25),
            (_, Security::Tls) => ("imaps", 993),
            _ => ("imap", 143),
        };
        let mut command = self.command(how.security, port);
        if how.by == SubmitBy::Smtp {
            let domain = if how.seven_bit { postfix::SEVEN_BIT_DOMAIN } else { postfix::DOMAIN };
            command.arg(format!("{scheme}://{HOST}/{CLIENT}"));
            command.args(["--mail-from", SENDER, "--mail-rcpt"]).arg(format!("{mailbox}@{domain}"));
        } else {
            command.arg(format!("{scheme}://{HOST}/INBOX"));
            command.arg("--user").arg(format!("{mailbox}:{}", dovecot::PASSWORD));
        }
        run(command.arg("--upload-file").arg(mail))
    }

    /// Takes the only mail of a mailbox from a server.
    pub(super) fn fetch(&self, how: &Fetch, mailbox: &str, out: &Path) -> Result<(), Trouble> {
        let (scheme, port) = match (how.by, how.security) {
            (FetchBy::Pop3, Security::Tls) => ("pop3s", 995),
            (FetchBy::Pop3, _) => ("pop3", 110),
            (_, Security::Tls) => ("imaps", 993),
            _ => ("imap", 143),
        };
        let mail = if how.by == FetchBy::Pop3 { "1" } else { "INBOX;MAILINDEX=1" };
        let mut command = self.command(how.security, port);
        command.arg(format!("{scheme}://{HOST}/{mail}"));
        command.arg("--user").arg(format!("{mailbox}:{}", dovecot::PASSWORD));
        run(command.arg("--output").arg(out))
    }

    fn command(&self, security: Security, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        // Nothing of the user's: neither .curlrc nor a proxy.
        command.arg("--disable").env_clear();
        command.args(["--silent", "--show-error", "--verbose", "--max-time", PATIENCE]);
        command.arg("--resolve").arg(format!("{HOST}:{port}:127.0.0.1"));
        command.arg("--cacert").arg(&self.trusted);
        command.args((security == Security::StartTls).then_some("--ssl-reqd"));
        command
    }
}

fn run(command: &mut Command) -> Result<(), Trouble> {
    let failed = |what: String| Err(Trouble::Failed(what));
    let said = match command.stdin(Stdio::null()).output() {
        Ok(said) => said,
        Err(error) => return failed(format!("curl: {error}")),
    };
    if said.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&said.stderr);
    match refusal(&words) {
        Some(reply) => Err(Trouble::Refused(reply)),
        None => {
            let error = words.lines().find(|line| line.starts_with("curl: ")).unwrap_or("curl failed");
            failed(error.trim().to_owned())
        }
    }
}

/// The reply of a server that says no, in what `--verbose` shows: a code of SMTP (RFC 5321
/// section 4.2.1), or NO or BAD of IMAP, or -ERR of POP3.
fn refusal(words: &str) -> Option<String> {
    let replies = words.lines().filter_map(|line| line.strip_prefix("< ")).map(str::trim);
    let mut noes = replies.filter(|reply| {
        let mut words = reply.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let code = first.len() == 3 && first.bytes().all(|octet| octet.is_ascii_digit());
        (code && first.starts_with(['4', '5'])) || first == "-ERR" || matches!(second, "NO" | "BAD")
    });
    noes.next_back().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_word_is_found() {
        let smtp = "> MAIL FROM:<a@b> SIZE=9\r\n< 552 5.3.4 Message size exceeds fixed limit\r\n> QUIT\r\n< 221 2.0.0 Bye\r\n\
                    curl: (55) MAIL failed: 552\n";
        assert_eq!(refusal(smtp).unwrap(), "552 5.3.4 Message size exceeds fixed limit");
        assert_eq!(refusal("< A003 NO [OVERQUOTA] no\r\n").unwrap(), "A003 NO [OVERQUOTA] no");
        assert_eq!(refusal("< -ERR no such message\r\n").unwrap(), "-ERR no such message");
        assert_eq!(refusal("< 250-SIZE 500\r\n< 354 go on\r\n< * 5 EXISTS\r\ncurl: (28) timeout\n"), None);
    }
}
