//! One entry of a directory (RFC 4516 for the URI, RFC 4511 for the protocol):
//! bound as nobody, searched by its name, one attribute.
//!
//! Written here because the kept client brings an asynchronous runtime and
//! forty more crates for three messages.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use waxseal_engine::ber::writer as w;
use waxseal_engine::ber::{Cursor, Element};

/// Tags of protocol operations (RFC 4511 section 4).
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;

/// Where an attribute is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    address: String,
    entry: String,
    attribute: String,
}

impl Place {
    /// `ldap://host[:port]/entry?attribute[;binary][?base[?filter]]`.
    fn parse(uri: &str) -> Result<Self, String> {
        let rest = uri.get(7..).ok_or("no ldap URI")?;
        let (host, path) = rest.split_once('/').ok_or("the URI names no entry")?;
        if host.is_empty() {
            return Err("the URI names no server".to_owned());
        }
        let mut parts = path.split('?');
        let entry = decoded(parts.next().unwrap_or_default())?;
        let attribute = decoded(parts.next().unwrap_or_default())?;
        if attribute.is_empty() || attribute.contains(',') {
            return Err("the URI does not name one attribute".to_owned());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { host.to_owned() } else { format!("{host}:389") };
        Ok(Self { address, entry, attribute })
    }
}

/// The text that percent signs stand for.
fn decoded(text: &str) -> Result<String, String> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|octet| char::from(octet.unwrap_or(b' ')).to_digit(16));
        let [Some(high), Some(low)] = digits else { return Err("a percent sign without two digits".to_owned()) };
        octets.push((high * 16 + low) as u8);
    }
    String::from_utf8(octets).map_err(|_| "a name that is not UTF-8".to_owned())
}

/// The values of the attribute that a URI names, one after the other.
pub(super) fn read(uri: &str, most: u64, patience: Duration) -> Result<Vec<u8>, String> {
    let place = Place::parse(uri)?;
    let mut connection = Connection::open(&place.address, most, patience)?;
    connection.send(1, &bind())?;
    let (operation, content) = connection.receive()?;
    match (operation, result_code(&content)) {
        (BIND_RESPONSE, Some(0)) => {}
        (_, code) => return Err(format!("the directory lets nobody in: result {code:?}")),
    }
    connection.send(2, &search(&place))?;
    let mut found = Vec::new();
    loop {
        let (operation, content) = connection.receive()?;
        match operation {
            SEARCH_ENTRY => values(&content, &mut found).ok_or("the directory answers something else")?,
            SEARCH_DONE if found.is_empty() => {
                return Err(format!("the directory has no {}: result {:?}", place.attribute, result_code(&content)));
            }
            SEARCH_DONE => return Ok(found),
            // References to other directories lead no further.
            _ => {}
        }
    }
}

/// BindRequest of version 3, as nobody.
fn bind() -> Vec<u8> {
    let fields = [w::integer(3), w::octet_string(b""), w::element(w::tag::context_primitive(0), b"")];
    w::constructed(0x60, fields)
}

/// SearchRequest for one entry.
fn search(place: &Place) -> Vec<u8> {
    let enumerated = |value: u8| w::element(w::tag::ENUMERATED, &[value]);
    let anything = w::element(w::tag::context_primitive(7), b"objectClass");
    let fields = [
        w::octet_string(place.entry.as_bytes()),
        // baseObject, neverDerefAliases; one entry, and the time that we have.
        enumerated(0),
        enumerated(0),
        w::integer(1),
        w::integer(0),
        w::boolean(false),
        anything,
        w::sequence([w::octet_string(place.attribute.as_bytes())]),
    ];
    w::constructed(SEARCH_REQUEST, fields)
}

/// resultCode of an LDAPResult.
fn result_code(content: &[u8]) -> Option<u8> {
    Cursor::new(content, 0).take().ok()??.content.last().copied()
}

/// Adds the values of a SearchResultEntry.
fn values(content: &[u8], found: &mut Vec<u8>) -> Option<()> {
    let mut fields = Cursor::new(content, 0);
    fields.take().ok()??;
    let mut attributes = fields.take().ok()??.inside();
    while let Some(attribute) = attributes.take().ok()? {
        let mut parts = attribute.inside();
        parts.take().ok()??;
        let mut set = parts.take().ok()??.inside();
        while let Some(Element { content, .. }) = set.take().ok()? {
            found.extend_from_slice(content);
        }
    }
    Some(())
}

/// A connection that ends in time, and of which only so much is read.
struct Connection {
    stream: TcpStream,
    until: Instant,
    left: u64,
    received: Vec<u8>,
}

impl Connection {
    fn open(address: &str, most: u64, patience: Duration) -> Result<Self, String> {
        let until = Instant::now() + patience;
        let said = |error: std::io::Error| error.to_string();
        let first = address.to_socket_addrs().map_err(said)?.next().ok_or("the server has no address")?;
        let stream = TcpStream::connect_timeout(&first, patience).map_err(said)?;
        stream.set_write_timeout(Some(patience)).map_err(said)?;
        Ok(Self { stream, until, left: most, received: Vec::new() })
    }

    /// Sends LDAPMessage.
    fn send(&mut self, number: u64, operation: &[u8]) -> Result<(), String> {
        let message = w::sequence([w::integer(number).as_slice(), operation]);
        self.stream.write_all(&message).map_err(|error| error.to_string())
    }

    /// The next operation: its tag, and what is in it.
    fn receive(&mut self) -> Result<(u8, Vec<u8>), String> {
        loop {
            let mut input = Cursor::new(&self.received, 0);
            if let Ok(Some(message)) = input.take() {
                let mut fields = message.inside();
                let operation = fields.take().ok().flatten().and_then(|_| fields.take().ok().flatten());
                let operation = operation.ok_or("the directory answers something else")?;
                let answer = (operation.identifier(), operation.content.to_vec());
                let rest = input.rest().to_vec();
                self.received = rest;
                return Ok(answer);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<(), String> {
        let patience = self.until.saturating_duration_since(Instant::now());
        if patience.is_zero() {
            return Err("the directory takes too long".to_owned());
        }
        self.stream.set_read_timeout(Some(patience)).map_err(|error| error.to_string())?;
        let mut block = [0; 1 << 14];
        match self.stream.read(&mut block).map_err(|error| error.to_string())? {
            0 => Err("the directory ends the connection".to_owned()),
            read => {
                self.left = self.left.checked_sub(read as u64).ok_or("more octets than may be fetched")?;
                self.received.extend_from_slice(&block[..read]);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// The octets are those of RFC 4511, written by hand.
    #[test]
    fn an_attribute_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bind = [0; 14];
            stream.read_exact(&mut bind).unwrap();
            assert_eq!(&bind, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00");
            stream.write_all(b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00").unwrap();
            let expected = b"\x30\x31\x02\x01\x02\x63\x2c\x04\x04cn=a\x0a\x01\x00\x0a\x01\x00\x02\x01\x01\x02\x01\x00\
                \x01\x01\x00\x87\x0bobjectClass\x30\x08\x04\x06c;bina";
            let mut search = vec![0; expected.len()];
            stream.read_exact(&mut search).unwrap();
            assert_eq!(search, expected);
            // One entry with two values, in two pieces, then the end.
            let entry =
                b"\x30\x1e\x02\x01\x02\x64\x19\x04\x04cn=a\x30\x11\x30\x0f\x04\x06c;bina\x31\x05\x04\x01x\x04\x00";
            stream.write_all(&entry[..9]).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(&entry[9..]).unwrap();
            stream.write_all(b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00").unwrap();
        });
        let found = read(&format!("ldap://127.0.0.1:{port}/cn=a?c;bina?base"), 1000, Duration::from_secs(5));
        server.join().unwrap();
        assert_eq!(found.unwrap(), b"x");
    }

    #[test]
    fn a_directory_that_does_not_end_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0, 0]).is_ok() {}
        });
        let error = read(&format!("ldap://127.0.0.1:{port}/cn=a?b"), 100_000, Duration::from_secs(5)).unwrap_err();
        assert!(error.contains("more octets"), "{error}");
    }

    #[test]
    fn a_uri_names_server_entry_and_attribute() {
        let place = |address: &str, entry: &str, attribute: &str| {
            Ok(Place { address: address.to_owned(), entry: entry.to_owned(), attribute: attribute.to_owned() })
        };
        assert_eq!(
            Place::parse("ldap://directory.test/CN=CA%201,O=X?certificateRevocationList;binary?base?objectClass=*"),
            place("directory.test:389", "CN=CA 1,O=X", "certificateRevocationList;binary")
        );
        assert_eq!(Place::parse("LDAP://[::1]:3890/cn=a?b"), place("[::1]:3890", "cn=a", "b"));
        for wrong in ["ldap:///cn=a?b", "ldap://host", "ldap://host/cn=a", "ldap://host/cn=a?b,c", "ldap://host/%4?b"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
