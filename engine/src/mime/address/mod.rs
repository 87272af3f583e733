//! Addresses and encoded words in header fields.

mod list;
mod shown;

use mail_parser::parsers::MessageStream;
use time::OffsetDateTime;

use self::list::Entry;
use super::date;
use super::header::{Field, Headers};

/// One mailbox of an address field (RFC 5322 section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mailbox {
    /// Display name and comments, encoded words (RFC 2047) decoded.
    pub name: Option<String>,
    /// `local@domain`, in the letter case of the message; without a route,
    /// comments, and quotes that are not needed.
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

    /// The mailbox of the Sender field; `None` too if several are named, of
    /// which RFC 5322 section 3.6.2 knows nothing.
    #[must_use]
    pub fn sender(&self) -> Option<Mailbox> {
        let mut mailboxes = self.all("sender").flat_map(|field| field.mailboxes());
        mailboxes.next().filter(|_| mailboxes.next().is_none())
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
        list::parse(&self.value()).into_iter().flat_map(mailboxes).collect()
    }

    /// Whether an entry of an address field has no address.
    #[must_use]
    pub fn has_entry_without_address(&self) -> bool {
        list::parse(&self.value()).iter().any(|entry| entry.addresses.is_empty())
    }

    /// Every address that the names of an address field show: display names,
    /// comments, names of groups and quoted local parts, with encoded words
    /// decoded where the standard has them and where some readers decode them.
    #[must_use]
    pub fn shown_addresses(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in list::parse(&self.value()) {
            let addresses = entry.addresses.iter().filter(|text| text.contains("=?") || text.starts_with('"'));
            let texts = std::iter::once(&entry.phrase).chain(&entry.comments).chain(&entry.group).chain(addresses);
            for text in texts {
                found.extend(shown::addresses(&decode_words(text)));
            }
        }
        found
    }

    /// The value as text for a person: encoded words (RFC 2047) decoded.
    #[must_use]
    pub fn decoded(&self) -> String {
        decode_words(&self.value())
    }
}

fn mailboxes(entry: Entry) -> Vec<Mailbox> {
    let comments = entry.comments.join(" ");
    let name = match (entry.phrase.is_empty(), comments.is_empty()) {
        (true, _) => comments,
        (false, true) => entry.phrase,
        (false, false) => format!("{} ({comments})", entry.phrase),
    };
    let name = Some(decode_words(&name)).filter(|name| !name.trim().is_empty());
    entry.addresses.into_iter().map(|address| Mailbox { name: name.clone(), address }).collect()
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
            "From: alice@example.test, The CEO:;\n",
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

    /// JOHNNY (2019) I2, and Mailsploit (2017) for encoded words in an address.
    #[test]
    fn addresses_in_names_are_found_wherever_they_hide() {
        for from in [
            "ceo@corp.test <m@e.test>",
            "\"ceo@corp.test\" <m@e.test>",
            "=?utf-8?Q?ceo=40corp.test?= <m@e.test>",
            "=?utf-8?B?Y2VvQGNvcnAudGVzdA==?= <m@e.test>",
            "=?utf-8?Q?ceo?= =?utf-8?Q?=40corp.test?= <m@e.test>",
            "\"=?utf-8?Q?ceo=40corp.test?=\" <m@e.test>",
            "=?utf-8?Q?ceo@corp.test?= <m@e.test>",
            "m@e.test (ceo@corp.test)",
            "m@e.test (=?utf-8?Q?ceo=40corp.test?=)",
            "Mal (the (ceo@corp.test)) <m@e.test>",
            "\"ceo@corp.test\": m@e.test;",
            "=?utf-8?Q?ceo=40corp.test?=: m@e.test;",
            "\"ceo@corp.test\"@e.test",
            "=?utf-8?B?Y2VvQGNvcnAudGVzdA==?==?utf-8?Q?=00?=@e.test",
        ] {
            let read = headers(&format!("From: {from}\n"));
            assert_eq!(read.get("from").unwrap().shown_addresses(), ["ceo@corp.test"], "{from}");
            assert_eq!(read.from().len(), 1, "{from}");
        }
        let plain = headers("From: Alice <alice@example.test>, (x) =?utf-8?Q?J=C3=BC?= <@r.test:j@example.test>\n");
        assert_eq!(plain.get("from").unwrap().shown_addresses(), [""; 0]);
    }

    #[test]
    fn a_sender_is_one_mailbox() {
        let sender = |section: &str| headers(section).sender().map(|sender| sender.address);
        assert_eq!(sender("Sender: <carol@example.test>\n").as_deref(), Some("carol@example.test"));
        assert_eq!(sender("Sender: a@x.test, b@x.test\n"), None);
        assert_eq!(sender("Sender: a@x.test\nSender: b@x.test\n"), None);
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
