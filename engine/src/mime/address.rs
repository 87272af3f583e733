//! Addresses and encoded words in header fields.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address};
use time::OffsetDateTime;

use super::date;
use super::header::{Field, Headers};

/// One mailbox of an address field (RFC 5322 section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mailbox {
    /// Display name, encoded words (RFC 2047) decoded.
    pub name: Option<String>,
    /// `local@domain`, in the letter case of the message.
    pub address: String,
}

impl Headers {
    /// Every mailbox of every From field: several fields are a fault of the
    /// message, and hiding one of them would hide it.
    #[must_use]
    pub fn from(&self) -> Vec<Mailbox> {
        self.all("from").flat_map(|field| field.mailboxes()).collect()
    }

    /// The addresses of [`Headers::from`].
    #[must_use]
    pub fn from_addresses(&self) -> Vec<String> {
        self.from().into_iter().map(|mailbox| mailbox.address).collect()
    }

    /// Whether an entry of a From field names somebody without an address: a
    /// reader shows that name, and nothing can be compared with it.
    #[must_use]
    pub fn from_without_address(&self) -> bool {
        self.all("from").any(|field| field.has_entry_without_address())
    }

    /// The mailbox of the Sender field.
    #[must_use]
    pub fn sender(&self) -> Option<Mailbox> {
        self.get("sender")?.mailboxes().into_iter().next()
    }

    /// The time of the Date field; `None` when it is absent or no date.
    #[must_use]
    pub fn date(&self) -> Option<OffsetDateTime> {
        date::parse(&self.get("date")?.value())
    }
}

impl Field<'_> {
    /// The mailboxes of an address field, those of groups too. An entry
    /// without an address is left out.
    #[must_use]
    pub fn mailboxes(&self) -> Vec<Mailbox> {
        self.entries().into_iter().flatten().collect()
    }

    /// Whether an entry of an address field has no address.
    #[must_use]
    pub fn has_entry_without_address(&self) -> bool {
        self.entries().contains(&None)
    }

    /// Every entry of an address field; `None` for one without an address, and
    /// for a group of nobody.
    fn entries(&self) -> Vec<Option<Mailbox>> {
        let line = format!("{}\n", self.value());
        let parsed = MessageStream::new(line.as_bytes()).parse_address();
        match parsed.as_address() {
            None => Vec::new(),
            Some(Address::List(list)) => list.iter().map(mailbox).collect(),
            Some(Address::Group(groups)) => groups
                .iter()
                .flat_map(|group| match group.addresses.as_slice() {
                    [] => vec![None],
                    addresses => addresses.iter().map(mailbox).collect(),
                })
                .collect(),
        }
    }

    /// The value as text for a person: encoded words (RFC 2047) decoded.
    #[must_use]
    pub fn decoded(&self) -> String {
        decode_words(&self.value())
    }
}

fn mailbox(entry: &Addr<'_>) -> Option<Mailbox> {
    let address = entry.address()?.trim();
    let name = entry.name().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    (!address.is_empty()).then(|| Mailbox { name, address: address.to_owned() })
}

/// Decodes the encoded words of a text (RFC 2047).
pub(super) fn decode_words(text: &str) -> String {
    if !text.contains("=?") {
        return text.to_owned();
    }
    let line = format!("{text}\n");
    let parsed = MessageStream::new(line.as_bytes()).parse_unstructured();
    parsed.as_text().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(section: &str) -> Headers {
        Headers::parse(section.as_bytes(), 1 << 16).unwrap()
    }

    #[test]
    fn from_lists_every_mailbox_of_every_field() {
        let read = headers(
            "From: \"Doe, Alice\" <Alice@Example.test>, bob@example.test (Bob)\r\n\
             FROM: =?utf-8?Q?J=C3=BCrgen?= <j@example.test>\r\n\
             Sender: <carol@example.test>\r\n",
        );
        assert_eq!(read.from_addresses(), ["Alice@Example.test", "bob@example.test", "j@example.test"]);
        assert_eq!(read.from()[0].name.as_deref(), Some("Doe, Alice"));
        assert_eq!(read.from()[2].name.as_deref(), Some("Jürgen"));
        assert_eq!(read.sender().unwrap().address, "carol@example.test");
    }

    #[test]
    fn an_address_in_the_display_name_is_not_the_address() {
        let read = headers("From: \"alice@example.test\" <mallory@example.test>\n");
        assert_eq!(read.from_addresses(), ["mallory@example.test"]);
        assert_eq!(read.from()[0].name.as_deref(), Some("alice@example.test"));
    }

    #[test]
    fn an_entry_without_an_address_is_known() {
        for from in [
            "From: The CEO of Corp\nFrom: alice@example.test\n",
            "From: \"ceo@corp.test\"\n",
            "From: The CEO of Corp, alice@example.test\n",
            "From: CEO <>, alice@example.test\n",
            "From: The CEO:;, alice@example.test\n",
            "From: =?utf-8?Q?ceo=40corp.test?=\n",
        ] {
            assert!(headers(from).from_without_address(), "{from}");
        }
        for from in [
            "From: alice@example.test\n",
            "From: The CEO <alice@example.test>,\n",
            "From: alice@example.test (Alice)\n",
            "From: Friends: a@example.test, b@example.test;\n",
            "From: \n",
            "To: nobody\n",
        ] {
            assert!(!headers(from).from_without_address(), "{from}");
        }
    }

    #[test]
    fn folded_and_grouped_addresses_are_read() {
        let read = headers("From: Friends: a@example.test,\r\n b@example.test;\r\n");
        assert_eq!(read.from_addresses(), ["a@example.test", "b@example.test"]);
        assert!(headers("From: \n").from().is_empty());
        assert!(headers("To: x@y\n").from().is_empty());
    }

    #[test]
    fn encoded_words_become_text() {
        let read = headers("Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?UTF-8?B?w7w=?= end\n");
        assert_eq!(read.get("subject").unwrap().decoded(), "Grüßeü end");
    }
}
