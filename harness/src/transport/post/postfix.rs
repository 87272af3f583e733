//! Postfix: takes mail by SMTP, and gives it on by LMTP.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use super::server::Server;
use super::{HOST, dovecot, find};

/// SMTP, and SMTP over TLS.
const PORTS: [u16; 2] = [25, 465];

/// The domain of mailboxes, and of those behind a server that does not announce 8BITMIME.
pub(super) const DOMAIN: &str = "example.test";
pub(super) const SEVEN_BIT_DOMAIN: &str = "legacy.example.test";

/// Starts it.
pub(super) fn start(dir: &Path, size_limit: usize) -> Result<Server, String> {
    let program = find("postfix").ok_or("postfix is not here")?;
    let own = dir.join("postfix");
    let failed = |error: std::io::Error| format!("{}: {error}", own.display());
    let data = own.join("data");
    fs::create_dir_all(own.join("queue")).map_err(failed)?;
    fs::create_dir(&data).map_err(failed)?;
    // Its own user, as the package made it: the owner of what the package keeps for it.
    let owner = fs::metadata("/var/lib/postfix").map_err(|error| format!("/var/lib/postfix: {error}"))?;
    chown(&data, Some(owner.uid()), Some(owner.gid())).map_err(failed)?;
    fs::write(own.join("main.cf"), main(dir, size_limit)).map_err(failed)?;
    fs::write(own.join("master.cf"), MASTER).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&own).arg("start-fg");
    let mut server = Server::start(command, vec![own.join("out"), own.join("log")])?;
    server.wait_for(&PORTS)?;
    Ok(server)
}

fn main(dir: &Path, size_limit: usize) -> String {
    let socket = dovecot::socket(dir);
    let (dir, socket) = (dir.display(), socket.display());
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {dir}/postfix/queue\n\
         data_directory = {dir}/postfix/data\n\
         maillog_file = {dir}/postfix/log\n\
         maillog_file_prefixes = {dir}\n\
         myhostname = {HOST}\n\
         mydestination =\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         mynetworks = 127.0.0.0/8\n\
         alias_maps =\n\
         alias_database =\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = {dir}/certificate.pem\n\
         smtpd_tls_key_file = {dir}/key.pem\n\
         message_size_limit = {size_limit}\n\
         virtual_mailbox_limit = 0\n\
         virtual_mailbox_domains = {DOMAIN}, {SEVEN_BIT_DOMAIN}\n\
         virtual_mailbox_maps = static:ok\n\
         virtual_transport = lmtp:unix:{socket}\n\
         transport_maps = inline:{{ {{ {SEVEN_BIT_DOMAIN} = seven-bit:unix:{socket} }} }}\n"
    )
}

/// The services; `seven-bit` does not see that Dovecot announces 8BITMIME.
const MASTER: &str = "\
25        inet  n - n - - smtpd
465       inet  n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
lmtp      unix  - - n - - lmtp
seven-bit unix  - - n - - lmtp -o lmtp_discard_lhlo_keywords=8bitmime
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
";
