//! What in a mail tells of people and machines, and where: so that whoever
//! captured it can say whether it may be published. Nothing is taken out,
//! because what was signed would no longer be what was signed.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read as _};
use std::net::IpAddr;

use serde::Serialize;
use waxseal_engine::Limits;
use waxseal_engine::mime::{Part, decode_body, parse};
use waxseal_verdict::Verdict;

/// Findings of one mail; the rest is counted in the last one.
const MOST_FINDINGS: usize = 500;
/// Octets of a part in which addresses are looked for.
const MOST_TEXT: u64 = 8 << 20;

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PrivateKind {
    /// A mail address.
    Address,
    /// The name of a person beside an address.
    Name,
    /// A subject.
    Subject,
    /// The name of a machine.
    Host,
    /// The address of a machine.
    IpAddress,
    /// An identifier of a message.
    MessageId,
    /// What a certificate says of its holder or its issuer.
    Certificate,
    /// The name of an attached file.
    FileName,
    /// Text that everybody can read.
    Content,
}

/// Something that tells of a person or a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Private {
    /// What it is.
    pub kind: PrivateKind,
    /// Where it stands: a header field, a part, a layer.
    pub place: String,
    /// What stands there.
    pub value: String,
    /// Whether it is of a domain or a network that nobody has (RFC 2606, RFC 6761, RFC 5737, RFC 3849).
    pub harmless: bool,
}

/// Everything that a mail tells of people and machines, each once a place.
#[must_use]
pub fn private_in(mail: &[u8], verdict: &Verdict) -> Vec<Private> {
    let mut found = Found { list: BTreeSet::new(), left_out: 0 };
    if let Ok(root) = parse(&mut Cursor::new(mail), &Limits::default()) {
        for part in root.walk() {
            found.part(mail, part, part.path == root.path);
        }
    }
    for layer in &verdict.layers {
        for signer in &layer.signers {
            let place = format!("certificate of {}", layer.path);
            for address in &signer.email {
                found.address(&place, address);
            }
            found.name_of_certificate(&place, &signer.subject);
            found.name_of_certificate(&place, &signer.issuer);
        }
        for recipient in &layer.recipients {
            found.name_of_certificate(&format!("recipient of {}", layer.path), &recipient.id);
        }
    }
    let mut list: Vec<_> = found.list.into_iter().collect();
    if found.left_out > 0 {
        list.push(Private {
            kind: PrivateKind::Content,
            place: "mail".to_owned(),
            value: format!("{} more findings", found.left_out),
            harmless: false,
        });
    }
    list
}

struct Found {
    list: BTreeSet<Private>,
    left_out: usize,
}

impl Found {
    fn add(&mut self, kind: PrivateKind, place: &str, value: &str, harmless: bool) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        if self.list.len() >= MOST_FINDINGS {
            self.left_out += 1;
            return;
        }
        self.list.insert(Private { kind, place: place.to_owned(), value: value.to_owned(), harmless });
    }

    fn part(&mut self, mail: &[u8], part: &Part, is_root: bool) {
        for field in part.headers.fields() {
            let value = field.value();
            let place = if is_root { field.name().to_owned() } else { format!("part {}: {}", part.path, field.name()) };
            self.field(&place, &field.name().to_ascii_lowercase(), &value);
        }
        if let Some(name) = part.file_name().filter(|name| !name.to_ascii_lowercase().starts_with("smime.p7")) {
            self.add(PrivateKind::FileName, &format!("part {}", part.path), &name, false);
        }
        let media = part.content_type.media_type.as_str();
        let is_object = media.contains("pkcs7") || media == "application/octet-stream";
        if !part.children.is_empty() || is_object {
            return;
        }
        let mut content = Vec::new();
        let mut source = Cursor::new(mail);
        let (read, rest) = match decode_body(&mut source, part) {
            Ok(body) => {
                let mut body = body;
                let read = (&mut body).take(MOST_TEXT).read_to_end(&mut content).is_ok();
                (read, io::copy(&mut body, &mut io::sink()).unwrap_or(0))
            }
            Err(_) => (false, 0),
        };
        let place = format!("part {}", part.path);
        let octets = content.len() as u64 + rest;
        let readable = if read { "" } else { ", and more that cannot be decoded" };
        if octets > 0 {
            self.add(PrivateKind::Content, &place, &format!("{media}, {octets} octets{readable}"), false);
        }
        if media.starts_with("text/") {
            let text = String::from_utf8_lossy(&content);
            self.words(&place, &text, false);
        }
    }

    fn field(&mut self, place: &str, name: &str, value: &str) {
        match name {
            "subject" | "thread-topic" | "comments" | "keywords" => self.add(PrivateKind::Subject, place, value, false),
            "message-id" | "in-reply-to" | "references" | "content-id" => {
                for id in value.split_whitespace() {
                    let domain = id.trim_matches(['<', '>']).rsplit_once('@').map_or("", |(_, domain)| domain);
                    self.add(PrivateKind::MessageId, place, id, is_nobodys(domain));
                }
            }
            // Parameters of MIME and signatures of relays hold neither.
            "content-type" | "content-disposition" | "content-transfer-encoding" | "mime-version" => {}
            _ => {
                let is_address = matches!(
                    name,
                    "from"
                        | "to"
                        | "cc"
                        | "bcc"
                        | "sender"
                        | "reply-to"
                        | "resent-from"
                        | "resent-to"
                        | "disposition-notification-to"
                );
                if is_address {
                    self.names(place, value);
                }
                self.words(place, value, name == "received");
            }
        }
    }

    /// The names beside addresses.
    fn names(&mut self, place: &str, value: &str) {
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('<') {
            let name = before.trim_start_matches(|one: char| one == ',' || one == '>' || one.is_whitespace());
            let domain =
                after.split('>').next().and_then(|address| address.rsplit_once('@')).map_or("", |(_, domain)| domain);
            self.add(PrivateKind::Name, place, name.trim().trim_matches('"'), is_nobodys(domain));
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        }
    }

    /// Addresses of people and machines in a text; names of machines only where a relay writes them.
    fn words(&mut self, place: &str, text: &str, relay: bool) {
        let ends = |one: char| one.is_whitespace() || "<>()[],;\"'=|".contains(one);
        for word in text.split(ends) {
            let word = word.trim_matches(['.', ':', '!', '?']);
            if word.len() > 320 {
                continue;
            }
            if word.contains('@') {
                self.address(place, word.trim_start_matches("mailto:"));
            } else if let Some(ip) = ip_address(word) {
                self.add(PrivateKind::IpAddress, place, word, is_documentation(ip));
            } else if relay && is_host(word) {
                self.add(PrivateKind::Host, place, word, is_nobodys(word));
            }
        }
    }

    fn address(&mut self, place: &str, address: &str) {
        let Some((local, domain)) = address.rsplit_once('@') else { return };
        if !local.is_empty() && domain.contains(|one: char| one.is_alphanumeric()) {
            self.add(PrivateKind::Address, place, address, is_nobodys(domain));
        }
    }

    fn name_of_certificate(&mut self, place: &str, name: &str) {
        self.add(PrivateKind::Certificate, place, name, false);
    }
}

/// Domains that nobody has: RFC 2606 sections 2 and 3, RFC 6761 section 6.
fn is_nobodys(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<_> = domain.rsplit('.').collect();
    let labels = labels.as_slice();
    matches!(labels, ["test" | "example" | "invalid" | "localhost", ..] | ["com" | "net" | "org", "example", ..])
}

/// Networks of documentation and of this machine (RFC 5737, RFC 3849, RFC 6890).
fn is_documentation(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_loopback() || matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113))
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.segments()[..2] == [0x2001, 0xDB8],
    }
}

/// An address of a machine, as relays write it too: `IPv6:2001:db8::1`.
fn ip_address(word: &str) -> Option<IpAddr> {
    let word = word.strip_prefix("IPv6:").or_else(|| word.strip_prefix("ipv6:")).unwrap_or(word);
    // A version number of four parts is no address, but who can tell? It is shown.
    word.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() || word.contains("::") || word.matches(':').count() == 7)
}

/// A name with a dot whose last label is no number.
fn is_host(word: &str) -> bool {
    let labels: Vec<_> = word.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.chars().all(|one| one.is_alphanumeric() || one == '-' || one == '_');
    labels.len() > 1
        && labels.iter().all(is_label)
        && labels.last().is_some_and(|last| last.len() > 1 && last.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mail: &str) -> Vec<(PrivateKind, String, bool)> {
        let verdict = Verdict::new("auto", Vec::new());
        let found = private_in(mail.as_bytes(), &verdict);
        found.into_iter().map(|one| (one.kind, one.value, one.harmless)).collect()
    }

    #[test]
    fn people_and_machines_are_found_where_they_stand() {
        let found = of("Received: from mail.firm.de ([10.1.2.3]) by mx.example.org (192.0.2.7) with ESMTP id a.b\r\n\
                        From: \"Ann A.\" <ann@firm.de>, <bob@example.test>\r\nSubject: secret\r\n\
                        Message-ID: <1@pc.firm.de>\r\nX-Originating-IP: [2a00:1450::1]\r\n\
                        Content-Type: text/plain\r\n\r\nwrite to carl@firm.de.\r\n");
        let has = |kind, value: &str, harmless| {
            assert!(found.contains(&(kind, value.to_owned(), harmless)), "{value}: {found:#?}");
        };
        has(PrivateKind::Host, "mail.firm.de", false);
        has(PrivateKind::Host, "mx.example.org", true);
        has(PrivateKind::IpAddress, "10.1.2.3", false);
        has(PrivateKind::IpAddress, "192.0.2.7", true);
        has(PrivateKind::IpAddress, "2a00:1450::1", false);
        has(PrivateKind::Name, "Ann A.", false);
        has(PrivateKind::Address, "ann@firm.de", false);
        has(PrivateKind::Address, "bob@example.test", true);
        has(PrivateKind::Address, "carl@firm.de", false);
        has(PrivateKind::Subject, "secret", false);
        has(PrivateKind::MessageId, "<1@pc.firm.de>", false);
        has(PrivateKind::Content, "text/plain, 24 octets", false);
        assert_eq!(found.len(), 12, "{found:#?}");
    }

    #[test]
    fn a_mail_of_nobody_but_its_text_is_harmless() {
        let found = of("From: <a@example.com>\r\nTo: <b@mail.example.net>\r\n\r\n\r\n");
        assert!(found.iter().all(|(kind, _, harmless)| *harmless || *kind == PrivateKind::Content), "{found:?}");
        assert!(!is_nobodys("example.de") && !is_nobodys("myexample.com") && is_nobodys("A.TEST."));
    }

    #[test]
    fn a_mail_full_of_addresses_ends() {
        let text = (0..2000).map(|number| format!("a{number}@b.de\r\n")).collect::<String>();
        let found = of(&format!("Subject: x\r\n\r\n{text}"));
        assert_eq!(found.len(), MOST_FINDINGS + 1);
        assert!(found.last().unwrap().1.ends_with("more findings"));
    }
}
