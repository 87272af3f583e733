//! What in a mail tells of people and machines, and where: so that whoever
//! captured it can say whether it may be published. Nothing is taken out,
//! because what was signed would no longer be what was signed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read as _, SeekFrom};
use std::net::IpAddr;

use serde::Serialize;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::{Carried, oid};
use waxseal_engine::io::Source;
use waxseal_engine::message::{Observer, OpenError, OpenRequest, open};
use waxseal_engine::mime::smime::{self, Role};
use waxseal_engine::mime::{MimeError, Part, decode_body, has_header_field, parse};
use waxseal_verdict::{Form, Kind, Layer, Verdict};

use super::tnef::{self, What};
use super::{MOST_OCTETS, is_tnef, mapi};
use crate::workspace::TempWorkspace;

/// Findings of one mail; the rest is counted in the last one.
const MOST_FINDINGS: usize = 500;
/// Octets of a part in which addresses are looked for.
const MOST_TEXT: u64 = 8 << 20;
/// Messages of TNEF inside each other.
const MOST_TNEF: usize = 4;

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

/// Opens a mail, and lists everything that it and what comes out of its layers
/// tells of people and machines, each once a place; and what could not be
/// looked into.
///
/// # Errors
/// There is no verdict; see [`open`].
pub fn private_in(mail: &[u8], request: &OpenRequest<'_>) -> Result<(Vec<Private>, Verdict), OpenError> {
    let looking = Looking { limits: request.limits, found: RefCell::default() };
    looking.entity(&mut Cursor::new(mail), "")?;
    let request = OpenRequest { observer: Some(&looking), ..request.clone() };
    let verdict = open(&mut Cursor::new(mail), None, &mut TempWorkspace, &request)?.verdict;
    let mut found = looking.found.into_inner();
    for layer in &verdict.layers {
        found.layer(layer);
    }
    found.objects_that_are_no_layers(&verdict);
    let mut list: Vec<_> = found.list.into_iter().collect();
    if found.left_out > 0 {
        list.push(Private {
            kind: PrivateKind::Content,
            place: "mail".to_owned(),
            value: format!("{} more findings", found.left_out),
            harmless: false,
        });
    }
    Ok((list, verdict))
}

/// Looks at a mail, and at what comes out of its layers.
#[derive(Debug)]
struct Looking<'a> {
    limits: &'a Limits,
    found: RefCell<Found>,
}

impl Observer for Looking<'_> {
    fn content(&self, layer: &str, content_type: &str, content: &mut dyn Source) -> io::Result<()> {
        self.found.borrow_mut().opened.push(layer.to_owned());
        // Any other type is an object again, and what it holds comes by itself.
        if oid::standard(content_type) == oid::DATA {
            self.entity(content, &format!("{layer}/"))?;
        }
        Ok(())
    }

    fn carried(&self, place: &str, carried: &Carried) {
        self.found.borrow_mut().carried(place, carried);
    }
}

impl Looking<'_> {
    /// The parts of an entity, or content that is none; `prefix` is the path of what it is inside of.
    fn entity(&self, source: &mut dyn Source, prefix: &str) -> io::Result<()> {
        let found = &mut *self.found.borrow_mut();
        let place = if prefix.is_empty() { "mail" } else { prefix.trim_end_matches('/') };
        let root = match has_header_field(source, self.limits) {
            Ok(true) => parse(source, self.limits),
            Ok(false) => {
                source.seek(SeekFrom::Start(0))?;
                return found.leaf(source, place, "no MIME entity", MOST_TEXT);
            }
            Err(error) => Err(error),
        };
        match root {
            Ok(root) => root.walk().try_for_each(|part| found.part(source, part, prefix, part.path == root.path)),
            Err(MimeError::Read { source, .. }) => Err(source),
            Err(error) => {
                found.unseen(place, &format!("what cannot be cut into parts ({error})"));
                Ok(())
            }
        }
    }
}

#[derive(Debug, Default)]
struct Found {
    list: BTreeSet<Private>,
    left_out: usize,
    /// The layers that something came out of.
    opened: Vec<String>,
    /// Parts that announce an object, and what they announce.
    objects: Vec<(String, String)>,
    /// How many messages of TNEF are around what is looked at.
    inside_tnef: usize,
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

    /// Says of what nothing is listed, so that nobody takes it for empty.
    fn unseen(&mut self, place: &str, what: &str) {
        self.add(PrivateKind::Content, place, &format!("{what}: nothing in it is listed"), false);
    }

    /// What a layer tells beside its content.
    fn layer(&mut self, layer: &Layer) {
        let inside = format!("{}/", layer.path);
        let is_opened = self.opened.iter().any(|opened| *opened == layer.path || opened.starts_with(&inside));
        // Of these the content stands in the message itself, or there is none that anybody wrote.
        let is_open = layer.form == Some(Form::Clear) || matches!(layer.kind, Kind::CertsOnly | Kind::Timestamp);
        if !is_opened && !is_open {
            self.unseen(&layer.path, &format!("{}, which was not opened", layer.kind));
        }
        let place = format!("certificate of {}", layer.path);
        for signer in &layer.signers {
            for address in &signer.email {
                self.address(&place, address);
            }
            self.name_of_certificate(&place, &signer.subject);
            self.name_of_certificate(&place, &signer.issuer);
        }
        for certificate in &layer.attribute_certificates {
            self.name_of_certificate(&place, &certificate.holder);
            self.name_of_certificate(&place, &certificate.issuer);
        }
        for recipient in &layer.recipients {
            self.name_of_certificate(&format!("recipient of {}", layer.path), &recipient.id);
        }
        // Addresses in attributes: who is to get receipts, mailing lists, a header that was signed along.
        if let Ok(everything) = serde_json::to_vec(layer) {
            self.octets(&format!("attributes of {}", layer.path), &everything);
        }
    }

    /// A message inside an attachment is another one, and its objects are not opened.
    fn objects_that_are_no_layers(&mut self, verdict: &Verdict) {
        for (path, media) in std::mem::take(&mut self.objects) {
            let inside = format!("{path}/");
            if !verdict.layers.iter().any(|layer| layer.path.starts_with(&inside)) {
                self.unseen(&format!("part {path}"), &format!("{media}, which was not opened"));
            }
        }
    }

    fn carried(&mut self, place: &str, carried: &Carried) {
        let place = format!("certificate of {place}");
        for der in &carried.certificates {
            match Certificate::parse(der) {
                Ok(certificate) => {
                    for address in certificate.emails() {
                        self.address(&place, &address);
                    }
                    self.name_of_certificate(&place, &certificate.subject());
                    self.name_of_certificate(&place, &certificate.issuer());
                }
                Err(_) => self.unseen(&place, &format!("a certificate of {} octets that cannot be read", der.len())),
            }
        }
        // Names by which people log in, and addresses in what is no certificate of X.509.
        let lists = [&carried.certificates, &carried.attribute_certificates, &carried.held_crls];
        for der in lists.into_iter().chain([&carried.held_responses]).flatten() {
            self.octets(&place, der);
        }
    }

    fn part(&mut self, source: &mut dyn Source, part: &Part, prefix: &str, is_root: bool) -> io::Result<()> {
        let path = format!("{prefix}{}", part.path);
        let place = format!("part {path}");
        for field in part.headers.fields() {
            let value = field.value();
            let name = field.name();
            let place = if is_root && prefix.is_empty() { name.to_owned() } else { format!("{place}: {name}") };
            self.field(&place, &name.to_ascii_lowercase(), &value);
        }
        if let Some(name) = part.file_name().filter(|name| !name.to_ascii_lowercase().starts_with("smime.p7")) {
            self.add(PrivateKind::FileName, &place, &name, false);
        }
        if !part.children.is_empty() {
            return Ok(());
        }
        let media = part.content_type.media_type.as_str();
        let role = smime::classify(part).map(|smime| smime.role);
        if let Some(Role::Pkcs7Mime { .. } | Role::CertsOnly | Role::DetachedSignature) = role {
            self.objects.push((path, media.to_owned()));
            return Ok(());
        }
        let most = if is_tnef(part) { MOST_OCTETS } else { MOST_TEXT };
        match decode_body(source, part) {
            Ok(mut body) => self.leaf(&mut body, &place, media, most),
            Err(MimeError::Read { source, .. }) => Err(source),
            Err(error) => {
                self.unseen(&place, &format!("{media}, which cannot be decoded ({error})"));
                Ok(())
            }
        }
    }

    /// Content without parts; what is beyond `most` octets is counted.
    fn leaf(&mut self, body: &mut dyn io::Read, place: &str, media: &str, most: u64) -> io::Result<()> {
        let mut content = Vec::new();
        let read = (&mut *body).take(most).read_to_end(&mut content);
        let rest = match read {
            Ok(_) => io::copy(body, &mut io::sink()),
            Err(error) => Err(error),
        };
        let octets = content.len() as u64 + rest.as_ref().copied().unwrap_or(0);
        let more = match rest {
            Ok(0) => String::new(),
            Ok(rest) => format!("; in the last {rest} nothing was looked for"),
            Err(error) => format!(", and more that cannot be decoded ({error})"),
        };
        if octets > 0 || !more.is_empty() {
            self.add(PrivateKind::Content, place, &format!("{media}, {octets} octets{more}"), false);
        }
        self.content(place, media, &content);
        Ok(())
    }

    /// What stands in content: a message of TNEF, or addresses in text.
    fn content(&mut self, place: &str, media: &str, content: &[u8]) {
        // Outlook puts sixteen octets before a message that is attached to another ([MS-OXTNEF] section 2.1.3.3.15).
        let stream = [content, content.get(16..).unwrap_or_default()];
        if let Some(stream) = stream.into_iter().find(|stream| stream.starts_with(&tnef::SIGNATURE)) {
            self.tnef(place, stream);
        } else if content.starts_with(&[0xFF, 0xFE]) {
            self.words(place, &mapi::utf_16(&content[2..]), false);
        } else if media.starts_with("text/") || !content.contains(&0) {
            self.words(place, &String::from_utf8_lossy(content), false);
        }
    }

    fn tnef(&mut self, place: &str, stream: &[u8]) {
        if self.inside_tnef >= MOST_TNEF {
            self.unseen(place, "one message of TNEF too many inside each other");
            return;
        }
        self.inside_tnef += 1;
        let found = RefCell::new(&mut *self);
        let tell = |path: &str, what: What, octets: &[u8]| {
            let place = format!("{place}: {path}");
            found.borrow_mut().told(&place, what, octets);
        };
        let told = tnef::tell(stream, &tell);
        if let Err(error) = told {
            self.unseen(place, &format!("the rest of a message of TNEF that is damaged ({error})"));
        }
        self.inside_tnef -= 1;
    }

    fn told(&mut self, place: &str, what: What, octets: &[u8]) {
        let text = || String::from_utf8_lossy(octets).trim_end_matches('\0').to_owned();
        match what {
            What::Subject => self.add(PrivateKind::Subject, place, &text(), false),
            What::FileName => self.add(PrivateKind::FileName, place, &text(), false),
            // An address can stand where a name should.
            What::Name if !octets.contains(&b'@') => self.add(PrivateKind::Name, place, &text(), false),
            What::Name | What::Text => self.words(place, &text(), false),
            What::Compressed => self.unseen(place, &format!("compressed text, {} octets", octets.len())),
            What::Content => {
                self.add(PrivateKind::Content, place, &format!("{} octets", octets.len()), false);
                self.content(place, "", octets);
            }
            What::Octets => self.octets(place, octets),
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

    /// Addresses between octets that are something else: in DER, in JSON.
    fn octets(&mut self, place: &str, octets: &[u8]) {
        let is_of_address = |octet: &u8| octet.is_ascii_alphanumeric() || b"@.-_+".contains(octet);
        let mut seen = BTreeSet::new();
        for run in octets.split(|octet| !is_of_address(octet)).filter(|run| run.contains(&b'@')) {
            // What follows in DER may begin with a digit, and no domain ends in one.
            let text = std::str::from_utf8(run).unwrap_or_default().trim_end_matches(|one: char| one.is_ascii_digit());
            let Some((local, domain)) = text.rsplit_once('@') else { continue };
            if local.is_empty() || !is_host(domain) || !seen.insert(text) {
                continue;
            }
            // Each is held against all that are known.
            if seen.len() > MOST_FINDINGS {
                self.left_out += 1;
                return;
            }
            if !self.knows(text) {
                self.address(place, text);
            }
        }
    }

    /// Whether an address is known; a length before it in DER may look like a letter of it.
    fn knows(&self, address: &str) -> bool {
        let is_it = |one: &Private| {
            let end = address.len().checked_sub(one.value.len()).and_then(|at| address.get(at..));
            one.kind == PrivateKind::Address && end.is_some_and(|end| end.eq_ignore_ascii_case(&one.value))
        };
        self.list.iter().any(is_it)
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
        let ends = |one: char| one.is_whitespace() || one.is_control() || "<>()[],;\"'=|".contains(one);
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
    use waxseal_engine::policy::Policy;
    use waxseal_key::Arithmetic;

    use super::*;

    fn of(mail: &str) -> Vec<(PrivateKind, String, bool)> {
        let (policy, arithmetic) = (Policy::named("default").unwrap(), Arithmetic::default());
        let limits = Limits::default();
        let request = OpenRequest::new(time::OffsetDateTime::UNIX_EPOCH, &policy, &arithmetic, &limits);
        let (found, _) = private_in(mail.as_bytes(), &request).unwrap();
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
        assert!(found.len() >= 2, "{found:?}");
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

    /// What nobody opens is not passed over: an object of an attached message, one that is damaged, a part that
    /// cannot be decoded.
    #[test]
    fn what_was_not_looked_into_is_said() {
        let attached = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
                        Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nMIAGCSqG\r\n--b--\r\n";
        let found = of(attached);
        let not_opened = "application/pkcs7-mime, which was not opened: nothing in it is listed";
        assert_eq!(found, [(PrivateKind::Content, not_opened.to_owned(), false)]);
        let found = of("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nann@firm.de\r\n");
        let not_opened = "signed, which was not opened: nothing in it is listed";
        assert_eq!(found, [(PrivateKind::Content, not_opened.to_owned(), false)]);
        // A multipart/signed without parts is text that is shown.
        let broken = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"\r\n\r\nann@firm.de\r\n";
        assert!(of(broken).contains(&(PrivateKind::Address, "ann@firm.de".to_owned(), false)), "{:?}", of(broken));
    }

    /// Attachments are called octets whatever they are.
    #[test]
    fn text_is_text_whatever_its_type_says() {
        let octets = "Content-Type: application/octet-stream; name=a.csv\r\n\r\nann@firm.de,10.1.2.3\r\n";
        let found = of(octets);
        for (kind, value) in [
            (PrivateKind::Address, "ann@firm.de"),
            (PrivateKind::IpAddress, "10.1.2.3"),
            (PrivateKind::FileName, "a.csv"),
        ] {
            assert!(found.contains(&(kind, value.to_owned(), false)), "{value}: {found:?}");
        }
        let utf_16 = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n//5hAEAAYgAuAGQAZQA=\r\n";
        assert!(of(utf_16).contains(&(PrivateKind::Address, "a@b.de".to_owned(), false)), "{:?}", of(utf_16));
    }

    /// A name to log in with (an otherName) is no address of the certificate, and looks like one.
    #[test]
    fn addresses_stand_between_octets() {
        let mut found = Found::default();
        found.octets("x", b"\x0c\x0fann@firm.local0\x0b\x06\x03@\xff@b.de a@b 1@2.3");
        found.octets("y", b"0ann@firm.local");
        let list: Vec<_> = found.list.iter().map(|one| (one.place.as_str(), one.value.as_str())).collect();
        assert_eq!(list, [("x", "ann@firm.local")]);
        let many = (0..2000).map(|number| format!("a{number}@b.de ")).collect::<String>();
        found.octets("z", many.as_bytes());
        assert!(found.list.len() == MOST_FINDINGS && found.left_out > 0);
    }
}
