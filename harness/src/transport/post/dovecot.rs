//! Dovecot: takes mail by LMTP and APPEND, gives it back by IMAP and POP3.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::find;
use super::server::Server;

/// IMAP, IMAP over TLS, POP3, POP3 over TLS.
const PORTS: [u16; 4] = [143, 993, 110, 995];
/// The password of every mailbox: there is no network here.
pub(super) const PASSWORD: &str = "mailbox";

/// Where it takes mail by LMTP.
pub(super) fn socket(dir: &Path) -> PathBuf {
    dir.join("lmtp")
}

/// Where the mail of a mailbox waits that nobody has seen.
pub(super) fn new_mail(dir: &Path, mailbox: &str) -> PathBuf {
    dir.join("mail").join(mailbox).join("new")
}

/// Starts it; any name is a mailbox.
pub(super) fn start(dir: &Path) -> Result<Server, String> {
    let program = find("dovecot").ok_or("dovecot is not here")?;
    let (uid, gid) = nobody()?;
    let mail = dir.join("mail");
    let failed = |error: std::io::Error| format!("{}: {error}", mail.display());
    fs::create_dir(&mail).map_err(failed)?;
    chown(&mail, Some(uid), Some(gid)).map_err(failed)?;
    let config = dir.join("dovecot.conf");
    fs::write(&config, configuration(dir, uid, gid)).map_err(|error| format!("{}: {error}", config.display()))?;
    let mut command = Command::new(program);
    command.arg("-F").arg("-c").arg(&config);
    let mut server = Server::start(command, vec![dir.join("dovecot.out"), dir.join("dovecot.log")])?;
    server.wait_for(&PORTS)?;
    Ok(server)
}

fn configuration(dir: &Path, uid: u32, gid: u32) -> String {
    let dir = dir.display();
    format!(
        "protocols = imap pop3 lmtp\n\
         listen = 127.0.0.1\n\
         base_dir = {dir}/dovecot\n\
         state_dir = {dir}/dovecot\n\
         log_path = {dir}/dovecot.log\n\
         ssl = yes\n\
         ssl_cert = <{dir}/certificate.pem\n\
         ssl_key = <{dir}/key.pem\n\
         disable_plaintext_auth = no\n\
         auth_username_format = %n\n\
         mail_location = maildir:{dir}/mail/%u\n\
         passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={dir}/mail/%u\n}}\n\
         service lmtp {{\n  unix_listener {socket} {{\n    mode = 0666\n  }}\n}}\n",
        socket = socket(Path::new(&dir.to_string())).display(),
    )
}

/// Whose the mail is: Dovecot lets no mail be root's.
fn nobody() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let numbers = users.lines().filter_map(|line| line.strip_prefix("nobody:")).find_map(|rest| {
        let mut fields = rest.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    numbers.ok_or_else(|| "there is no user nobody".to_owned())
}
