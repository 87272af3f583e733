//! Files, how they are selected and read (ISO/IEC 7816-4 sections 7.1, 7.4,
//! 11.2.2 and 11.3.3).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::{Command, Response, StatusWord, apdu, tlv};

/// Where a file stands: file identifiers from below the master file down. The
/// master file has none.
pub(super) type Path = Vec<u16>;

/// The identifier of the master file.
pub(super) const MASTER_FILE: u16 = 0x3F00;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Everybody,
    /// Who gave the PIN.
    User,
}

impl Access {
    /// The security condition, as IsoApplet writes it (ISO/IEC 7816-4 table 28
    /// has `90` for a condition by user authentication).
    fn condition(self) -> u8 {
        match self {
            Self::Everybody => 0x00,
            Self::User => 0x90,
        }
    }
}

/// Nobody may do this.
const NEVER: u8 = 0xFF;

#[derive(Debug)]
pub(super) enum File {
    /// A dedicated file, with its name; the master file has none.
    Dedicated(Vec<u8>),
    /// A transparent elementary file.
    Elementary { content: Zeroizing<Vec<u8>>, read: Access },
}

/// The files of the application, and which of them are selected.
#[derive(Debug, Default)]
pub(super) struct FileSystem {
    files: BTreeMap<Path, File>,
    /// The current dedicated file.
    directory: Path,
    /// The current elementary file.
    elementary: Option<Path>,
}

impl FileSystem {
    /// The master file only.
    pub(super) fn new() -> Self {
        let files = BTreeMap::from([(Path::new(), File::Dedicated(Vec::new()))]);
        Self { files, ..Self::default() }
    }

    pub(super) fn add(&mut self, path: &[u16], file: File) {
        self.files.insert(path.to_vec(), file);
    }

    /// The master file is the current one again.
    pub(super) fn select_master_file(&mut self) {
        self.directory.clear();
        self.elementary = None;
    }

    /// The dedicated file with this name, which may be cut off after the
    /// registered identifier of five octets.
    pub(super) fn select_name(&mut self, name: &[u8], p2: u8) -> Option<Response> {
        let fits = |full: &[u8]| name.len() >= 5 && full.starts_with(name);
        let named = |file: &File| matches!(file, File::Dedicated(full) if fits(full));
        let path = self.files.iter().find(|(_, file)| named(file))?.0.clone();
        Some(self.become_current(path, p2))
    }

    /// SELECT by file identifier or path (table 62).
    pub(super) fn select(&mut self, command: &Command) -> Result<Response, StatusWord> {
        let identifiers = identifiers(&command.data).ok_or(StatusWord::WRONG_LENGTH)?;
        let below = |directory: &[u16]| [directory, &identifiers].concat();
        let found = match (command.p1, identifiers.as_slice()) {
            (0x00, [] | [MASTER_FILE]) => Some(Path::new()),
            (0x00, [identifier]) => self.near(*identifier),
            (0x01 | 0x02, [_]) => Some(below(&self.directory)),
            (0x03, []) => self.directory.split_last().map(|(_, parent)| parent.to_vec()),
            (0x08, [_, ..]) => Some(below(&[])),
            (0x09, [_, ..]) => Some(below(&self.directory)),
            (0x00..=0x03 | 0x08 | 0x09, _) => return Err(StatusWord::WRONG_LENGTH),
            _ => return Err(StatusWord::INCORRECT_P1_P2),
        };
        let is_kind = |file: &File| match command.p1 {
            0x01 => matches!(file, File::Dedicated(_)),
            0x02 => matches!(file, File::Elementary { .. }),
            _ => true,
        };
        let found = found.filter(|path| self.files.get(path).is_some_and(is_kind));
        Ok(self.become_current(found.ok_or(StatusWord::NOT_FOUND)?, command.p2))
    }

    /// A file with this identifier that stands where a bare identifier is
    /// looked for: below the current dedicated file, that file itself, the one
    /// above it, and below that.
    fn near(&self, identifier: u16) -> Option<Path> {
        let child = |directory: &[u16]| [directory, &[identifier]].concat();
        let parent = self.directory.split_last().map(|(_, parent)| parent);
        let mut places = vec![child(&self.directory)];
        places.extend(Some(&self.directory).filter(|path| path.last() == Some(&identifier)).cloned());
        places.extend(parent.filter(|path| path.last() == Some(&identifier)).map(<[u16]>::to_vec));
        places.extend(parent.map(child));
        places.into_iter().find(|path| self.files.contains_key(path))
    }

    fn become_current(&mut self, path: Path, p2: u8) -> Response {
        let template = match p2 {
            0x00 => 0x6F,
            0x04 => 0x62,
            0x0C => 0,
            _ => return StatusWord::INCORRECT_P1_P2.into(),
        };
        let Some(file) = self.files.get(&path) else { return StatusWord::NOT_FOUND.into() };
        let parameters = control_parameters(&path, file);
        match file {
            File::Dedicated(_) => (self.directory, self.elementary) = (path, None),
            File::Elementary { .. } => {
                self.directory = path.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default();
                self.elementary = Some(path);
            }
        }
        match template {
            0 => StatusWord::SUCCESS.into(),
            template => Response::ok(tlv::write(template, &parameters).to_vec()),
        }
    }

    /// READ BINARY of the current elementary file, by offset. There are no
    /// short identifiers.
    pub(super) fn read(&self, command: &Command, user: bool) -> Result<Response, StatusWord> {
        if command.p1 & 0x80 != 0 {
            return Err(StatusWord::NOT_FOUND);
        }
        let Some(expected) = command.expected.filter(|_| command.data.is_empty()) else {
            return Err(StatusWord::WRONG_LENGTH);
        };
        let current = self.elementary.as_ref().and_then(|path| self.files.get(path));
        let Some(File::Elementary { content, read }) = current else { return Err(StatusWord::COMMAND_NOT_ALLOWED) };
        if *read == Access::User && !user {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let offset = usize::from(u16::from_be_bytes([command.p1, command.p2]));
        let rest = content.get(offset..).ok_or(StatusWord::WRONG_OFFSET)?;
        let data = &rest[..expected.min(rest.len())];
        // A length of zeros asks for what is there, every other for just as much.
        let is_open = matches!(expected, apdu::SHORT_EXPECTED | apdu::EXTENDED_EXPECTED);
        let status = if data.len() == expected || is_open { StatusWord::SUCCESS } else { StatusWord::END_OF_FILE };
        Ok(Response { data: Zeroizing::new(data.to_vec()), status })
    }
}

/// Pairs of octets as file identifiers; `None` where an octet is left over.
fn identifiers(octets: &[u8]) -> Option<Path> {
    let (pairs, rest) = octets.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

/// The control parameters of a file (ISO/IEC 7816-4 table 12).
fn control_parameters(path: &[u16], file: &File) -> Zeroizing<Vec<u8>> {
    let identifier = path.last().copied().unwrap_or(MASTER_FILE).to_be_bytes();
    let mut out = Zeroizing::default();
    let mut put = |tag, value: &[u8]| Vec::extend_from_slice(&mut out, &tlv::write(tag, value));
    // Proprietary attributes as IsoApplet writes them: a mode octet that names all seven operations, then the
    // condition of each, reading last.
    let mut conditions = [NEVER; 8];
    match file {
        File::Dedicated(name) => {
            put(0x82, &[0x38]);
            put(0x83, &identifier);
            if !name.is_empty() {
                put(0x84, name);
            }
        }
        File::Elementary { content, read } => {
            put(0x80, &u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
            put(0x82, &[0x01]);
            put(0x83, &identifier);
            // There is no short identifier.
            put(0x88, &[]);
            conditions[7] = read.condition();
        }
    }
    put(0x86, &conditions);
    // Operational, activated.
    put(0x8A, &[0x05]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: [u8; 6] = [0xA0, 0, 0, 0, 0x63, 0x50];

    fn files() -> FileSystem {
        let mut files = FileSystem::new();
        files.add(&[0x2F00], elementary(&[1; 4], Access::Everybody));
        files.add(&[0x5015], File::Dedicated(NAME.to_vec()));
        files.add(&[0x5015, 0x5031], elementary(&[2; 300], Access::Everybody));
        files.add(&[0x5015, 0x3500], elementary(&[3; 8], Access::User));
        files
    }

    fn elementary(content: &[u8], read: Access) -> File {
        File::Elementary { content: Zeroizing::new(content.to_vec()), read }
    }

    fn select(files: &mut FileSystem, p1: u8, data: &[u8]) -> Result<(), StatusWord> {
        let command = Command::new(0, 0xA4, p1, 0x0C).with_data(data);
        files.select(&command).map(|response| assert_eq!(response, StatusWord::SUCCESS.into()))
    }

    fn read(files: &FileSystem, offset: u16, expected: usize, user: bool) -> Result<Response, StatusWord> {
        let [p1, p2] = offset.to_be_bytes();
        files.read(&Command::new(0, 0xB0, p1, p2).expecting(expected), user)
    }

    #[test]
    fn paths_go_from_the_master_file_or_the_current_one() {
        let mut files = files();
        for (p1, data, expected) in [
            (8, &[0x50, 0x15, 0x50, 0x31][..], Ok(())),
            (9, &[0x35, 0x00], Ok(())),
            (3, &[], Ok(())),
            (3, &[], Err(StatusWord::NOT_FOUND)),
            (2, &[0x50, 0x15], Err(StatusWord::NOT_FOUND)),
            (1, &[0x2F, 0x00], Err(StatusWord::NOT_FOUND)),
            (1, &[0x50, 0x15], Ok(())),
            (2, &[0x50, 0x31], Ok(())),
            (8, &[0x50, 0x31], Err(StatusWord::NOT_FOUND)),
            (8, &[0x50], Err(StatusWord::WRONG_LENGTH)),
            (8, &[], Err(StatusWord::WRONG_LENGTH)),
            (5, &[0x50, 0x31], Err(StatusWord::INCORRECT_P1_P2)),
        ] {
            assert_eq!(select(&mut files, p1, data), expected, "{p1:02X} {data:02X?}");
        }
    }

    #[test]
    fn a_bare_identifier_is_looked_for_nearby() {
        let mut files = files();
        assert_eq!(select(&mut files, 0, &[0x50, 0x31]), Err(StatusWord::NOT_FOUND), "two levels below");
        select(&mut files, 0, &[0x50, 0x15]).unwrap();
        select(&mut files, 0, &[0x50, 0x31]).unwrap();
        select(&mut files, 0, &[0x50, 0x15]).unwrap();
        select(&mut files, 0, &[0x2F, 0x00]).unwrap();
        assert_eq!(*read(&files, 0, 4, false).unwrap().data, [1; 4]);
        select(&mut files, 0, &[0x50, 0x15]).unwrap();
        select(&mut files, 0, &[0x3F, 0x00]).unwrap();
        assert_eq!(read(&files, 0, 4, false), Err(StatusWord::COMMAND_NOT_ALLOWED));
    }

    #[test]
    fn what_is_missing_at_the_end_of_a_file_is_told() {
        let mut files = files();
        select(&mut files, 8, &[0x50, 0x15, 0x50, 0x31]).unwrap();
        for (offset, expected, len, status) in [
            (0, 256, 256, StatusWord::SUCCESS),
            (256, 44, 44, StatusWord::SUCCESS),
            (256, 256, 44, StatusWord::SUCCESS),
            (256, 45, 44, StatusWord::END_OF_FILE),
            (300, 1, 0, StatusWord::END_OF_FILE),
        ] {
            let response = read(&files, offset, expected, false).unwrap();
            assert_eq!((response.data.len(), response.status), (len, status), "{expected} from {offset}");
        }
        assert_eq!(read(&files, 301, 1, false), Err(StatusWord::WRONG_OFFSET));
        assert_eq!(files.read(&Command::new(0, 0xB0, 0, 0), true), Err(StatusWord::WRONG_LENGTH));
    }

    #[test]
    fn a_private_file_is_read_by_its_user_only() {
        let mut files = files();
        select(&mut files, 8, &[0x50, 0x15, 0x35, 0x00]).unwrap();
        assert_eq!(read(&files, 0, 8, false), Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED));
        assert_eq!(*read(&files, 0, 8, true).unwrap().data, [3; 8]);
    }

    /// ISO/IEC 7816-4 table 12, with the attributes that OpenSC's driver reads.
    #[test]
    fn control_parameters_name_size_identifier_and_conditions() {
        let mut files = files();
        let command = Command::new(0, 0xA4, 8, 4).with_data([0x50, 0x15, 0x35, 0x00]);
        let response = files.select(&command).unwrap();
        let value = tlv::only(&response.data, 0x62).unwrap();
        assert_eq!(tlv::find(value, 0x80), Some(&[0, 8][..]));
        assert_eq!(tlv::find(value, 0x82), Some(&[1][..]));
        assert_eq!(tlv::find(value, 0x83), Some(&[0x35, 0][..]));
        assert_eq!(tlv::find(value, 0x86), Some(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x90][..]));
        let response = files.select_name(&NAME[..5], 0).unwrap();
        assert_eq!(tlv::find(tlv::only(&response.data, 0x6F).unwrap(), 0x84), Some(&NAME[..]));
        assert_eq!(files.select_name(&NAME[..4], 0), None);
    }
}
