//! Command and response APDUs (ISO/IEC 7816-4 section 5).

use std::fmt;

use zeroize::Zeroizing;

use crate::StatusWord;

/// The bit of the class that says that more commands of this chain follow
/// (ISO/IEC 7816-4 section 5.4.1).
pub const CHAINING: u8 = 0x10;

/// A command APDU.
///
/// Its data field may hold a PIN: it is wiped when dropped, and `Debug` prints
/// the header and lengths only.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// CLA.
    pub class: u8,
    /// INS.
    pub instruction: u8,
    /// P1.
    pub p1: u8,
    /// P2.
    pub p2: u8,
    /// The command data field, of 0 to 65535 octets.
    pub data: Zeroizing<Vec<u8>>,
    /// Ne: how many octets of response data are expected at most, 1 to 65536;
    /// `None` where the command has no Le field.
    pub expected: Option<usize>,
}

/// Octets of data that a short command can hold.
pub const SHORT_DATA: usize = 255;

/// The most that a short command can expect.
pub const SHORT_EXPECTED: usize = 256;

/// The most that an extended command can expect.
pub const EXTENDED_EXPECTED: usize = 65536;

impl Command {
    /// A command without data that expects none.
    #[must_use]
    pub fn new(class: u8, instruction: u8, p1: u8, p2: u8) -> Self {
        Self { class, instruction, p1, p2, data: Zeroizing::default(), expected: None }
    }

    /// The same with a data field.
    #[must_use]
    pub fn with_data(mut self, data: impl AsRef<[u8]>) -> Self {
        self.data = Zeroizing::new(data.as_ref().to_vec());
        self
    }

    /// The same, expecting up to so many octets.
    #[must_use]
    pub fn expecting(mut self, octets: usize) -> Self {
        self.expected = Some(octets);
        self
    }

    /// Reads a command with short or extended length fields: all seven cases of
    /// ISO/IEC 7816-4 section 5.2 and annex A.
    ///
    /// # Errors
    /// [`StatusWord::WRONG_LENGTH`]: there is no header of four octets, or Lc
    /// and Le do not fit the octets that follow it.
    pub fn parse(octets: &[u8]) -> Result<Self, StatusWord> {
        let [class, instruction, p1, p2, body @ ..] = octets else { return Err(StatusWord::WRONG_LENGTH) };
        let (data, expected) = fields(body).ok_or(StatusWord::WRONG_LENGTH)?;
        let data = Zeroizing::new(data.to_vec());
        Ok(Self { class: *class, instruction: *instruction, p1: *p1, p2: *p2, data, expected })
    }

    /// The octets of the command: short length fields where they are enough,
    /// else extended ones. Data above 65535 octets, and an expectation above
    /// 65536, cannot be written; of them the length fields hold as much as they can.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.data.len() + 9));
        out.extend([self.class, self.instruction, self.p1, self.p2]);
        if self.data.len() <= SHORT_DATA && self.expected.is_none_or(|expected| expected <= SHORT_EXPECTED) {
            if let Some(len) = u8::try_from(self.data.len()).ok().filter(|len| *len > 0) {
                out.push(len);
            }
            out.extend_from_slice(&self.data);
            // 256 is written as 0.
            out.extend(self.expected.map(|expected| expected.to_le_bytes()[0]));
        } else {
            out.push(0);
            if !self.data.is_empty() {
                out.extend(u16::try_from(self.data.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend_from_slice(&self.data);
            }
            // 65536 is written as 0.
            let expected = self.expected.map(|expected| u16::try_from(expected).unwrap_or(0).to_be_bytes());
            out.extend(expected.into_iter().flatten());
        }
        out
    }

    /// Whether more commands of the same chain follow this one.
    #[must_use]
    pub fn is_chained(&self) -> bool {
        self.class & 0x80 == 0 && self.class & CHAINING != 0
    }

    /// CLA without the chaining bit, INS, P1, P2: what all commands of a chain
    /// have in common.
    #[must_use]
    pub fn header(&self) -> [u8; 4] {
        let class = if self.is_chained() { self.class & !CHAINING } else { self.class };
        [class, self.instruction, self.p1, self.p2]
    }
}

/// The data field and Ne of what stands after the header; `None` where the
/// lengths do not fit.
fn fields(body: &[u8]) -> Option<(&[u8], Option<usize>)> {
    let short = |le: u8| if le == 0 { SHORT_EXPECTED } else { usize::from(le) };
    let extended = |le: [u8; 2]| match u16::from_be_bytes(le) {
        0 => EXTENDED_EXPECTED,
        le => usize::from(le),
    };
    match body {
        [] => Some((&[], None)),
        [le] => Some((&[], Some(short(*le)))),
        [0, high, low] => Some((&[], Some(extended([*high, *low])))),
        [0, high, low, rest @ ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let (data, le) = rest.split_at_checked(len).filter(|_| len > 0)?;
            match le {
                [] => Some((data, None)),
                [high, low] => Some((data, Some(extended([*high, *low])))),
                _ => None,
            }
        }
        [0, ..] => None,
        [len, rest @ ..] => {
            let (data, le) = rest.split_at_checked(usize::from(*len))?;
            match le {
                [] => Some((data, None)),
                [le] => Some((data, Some(short(*le)))),
                _ => None,
            }
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, instruction, p1, p2, data, expected } = self;
        write!(f, "Command({class:02X} {instruction:02X} {p1:02X} {p2:02X}, {} octets of data", data.len())?;
        match expected {
            Some(expected) => write!(f, ", Ne {expected})"),
            None => write!(f, ")"),
        }
    }
}

/// A response APDU. Its data field may hold a decrypted key: it is wiped when
/// dropped, and `Debug` prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The response data field.
    pub data: Zeroizing<Vec<u8>>,
    /// SW1 and SW2.
    pub status: StatusWord,
}

impl Response {
    /// Done, with this data.
    #[must_use]
    pub fn ok(data: impl Into<Vec<u8>>) -> Self {
        Self { data: Zeroizing::new(data.into()), status: StatusWord::SUCCESS }
    }

    /// A status word without data.
    #[must_use]
    pub fn status(status: StatusWord) -> Self {
        Self { data: Zeroizing::default(), status }
    }

    /// Reads a response; `None` where it is shorter than a status word.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let (data, [first, second]) = octets.split_last_chunk()?;
        let status = StatusWord(u16::from_be_bytes([*first, *second]));
        Some(Self { data: Zeroizing::new(data.to_vec()), status })
    }

    /// The octets of the response.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.data.len() + 2));
        out.extend_from_slice(&self.data);
        out.extend(self.status.to_bytes());
        out
    }
}

impl From<StatusWord> for Response {
    fn from(status: StatusWord) -> Self {
        Self::status(status)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} octets of data, {})", self.data.len(), self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], data: &[u8], expected: Option<usize>) {
        let command = Command::parse(octets).unwrap();
        assert_eq!((command.data.as_slice(), command.expected), (data, expected), "{octets:02x?}");
        assert_eq!(command.header()[1..], octets[1..4]);
    }

    #[test]
    fn the_seven_cases_of_length_fields() {
        check(&[0, 0xA4, 4, 0], &[], None);
        check(&[0, 0xC0, 0, 0, 5], &[], Some(5));
        check(&[0, 0xC0, 0, 0, 0], &[], Some(256));
        check(&[0, 0x20, 0, 0x80, 2, 7, 8], &[7, 8], None);
        check(&[0, 0xCB, 0x3F, 0xFF, 1, 9, 0], &[9], Some(256));
        check(&[0, 0xC0, 0, 0, 0, 1, 0], &[], Some(256));
        check(&[0, 0xC0, 0, 0, 0, 0, 0], &[], Some(65536));
        check(&[0, 0x20, 0, 0x80, 0, 0, 2, 7, 8], &[7, 8], None);
        check(&[0, 0xCB, 0x3F, 0xFF, 0, 0, 1, 9, 0, 0], &[9], Some(65536));
        check(&[0, 0xCB, 0x3F, 0xFF, 0, 0, 1, 9, 1, 2], &[9], Some(258));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for octets in [
            &[][..],
            &[0, 0xA4, 4],
            &[0, 0xA4, 4, 0, 3, 1, 2],
            &[0, 0xA4, 4, 0, 1, 1, 2, 3],
            &[0, 0xA4, 4, 0, 0, 1],
            &[0, 0xA4, 4, 0, 0, 0, 0, 1],
            &[0, 0xA4, 4, 0, 0, 0, 2, 1],
            &[0, 0xA4, 4, 0, 0, 0, 1, 1, 1],
        ] {
            assert_eq!(Command::parse(octets), Err(StatusWord::WRONG_LENGTH), "{octets:02x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for len in [0, 1, 255, 256, 65535] {
            for expected in [None, Some(1), Some(255), Some(256), Some(257), Some(65536)] {
                let mut command = Command::new(0, 0xDB, 0x3F, 0xFF).with_data(vec![5; len]);
                command.expected = expected;
                assert_eq!(Command::parse(&command.to_bytes()), Ok(command), "{len} {expected:?}");
            }
        }
    }

    #[test]
    fn no_data_is_printed() {
        let command = Command::new(0, 0x20, 0, 0x80).with_data(b"123456\xff\xff");
        assert_eq!(format!("{command:?}"), "Command(00 20 00 80, 8 octets of data)");
    }
}
