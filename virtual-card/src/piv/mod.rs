//! The PIV Card Application (NIST SP 800-73-4).

mod algorithm;
mod authenticate;
pub mod management;
pub mod object;
pub mod reference_data;
mod slot;

use std::{collections::BTreeMap, fmt};

use waxseal_key::Random;
use zeroize::Zeroizing;

pub use self::{
    algorithm::{ALGORITHMS, Algorithm},
    authenticate::{CHALLENGE, EXPONENTIATION, MANAGEMENT_KEY, RESPONSE, SM2_FORM, TEMPLATE, WITNESS},
    management::ManagementKey,
    slot::{Access, Slot},
};
use self::{
    authenticate::Awaited,
    object::{DataObject, WRAPPER},
};
use crate::{Application, Command, Response, StatusWord, key::CardKey, secret::Secret, tlv};

/// The application identifier (SP 800-73-4 part 1 section 2.2): RID of NIST,
/// PIX, version 1.0.
pub const AID: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];

/// Octets of the identifier that select it: the RID of NIST alone, as
/// yubico-piv-tool asks for it. Hosts that keep to SP 800-73-4 part 2 section
/// 3.1.1 leave out the version at most.
const SHORTEST_AID: usize = 5;

/// Instruction codes (SP 800-73-4 part 2 table 2).
pub mod instruction {
    /// VERIFY.
    pub const VERIFY: u8 = 0x20;
    /// CHANGE REFERENCE DATA.
    pub const CHANGE_REFERENCE_DATA: u8 = 0x24;
    /// RESET RETRY COUNTER.
    pub const RESET_RETRY_COUNTER: u8 = 0x2C;
    /// GENERATE ASYMMETRIC KEY PAIR.
    pub const GENERATE_KEY_PAIR: u8 = 0x47;
    /// GENERAL AUTHENTICATE.
    pub const GENERAL_AUTHENTICATE: u8 = 0x87;
    /// SELECT.
    pub const SELECT: u8 = 0xA4;
    /// GET RESPONSE.
    pub const GET_RESPONSE: u8 = 0xC0;
    /// GET DATA.
    pub const GET_DATA: u8 = 0xCB;
    /// PUT DATA.
    pub const PUT_DATA: u8 = 0xDB;
}

/// The PIV Card Application.
pub struct Piv {
    label: String,
    objects: BTreeMap<u32, Zeroizing<Vec<u8>>>,
    keys: BTreeMap<Slot, CardKey>,
    pin: Secret,
    puk: Secret,
    management_key: ManagementKey,
    random: Box<dyn Random + Send>,
    /// Octets that all data objects may have together.
    capacity: usize,
    status: Status,
}

/// What is known of who uses the card; gone when another application is
/// selected, or the power goes.
#[derive(Default)]
struct Status {
    pin_verified: bool,
    /// Whether the PIN was verified by the command just before.
    pin_fresh: bool,
    /// Whether the card management key was authenticated.
    manager: bool,
    awaited: Option<Awaited>,
}

impl Status {
    fn forget_pin(&mut self) {
        (self.pin_verified, self.pin_fresh) = (false, false);
    }
}

/// Octets of data objects that a card holds unless told otherwise, as the cards
/// of people do.
pub const CAPACITY: usize = 144 * 1024;

/// How many wrong entries of PIN or PUK in a row block it.
pub const TRIES: u8 = 3;

impl Piv {
    /// A card without keys and with the Discovery Object only.
    #[must_use]
    pub fn new(
        pin: [u8; reference_data::LEN],
        puk: [u8; reference_data::LEN],
        management_key: ManagementKey,
        random: Box<dyn Random + Send>,
    ) -> Self {
        Self {
            label: "Waxseal PIV".to_owned(),
            objects: BTreeMap::from([(object::DISCOVERY, object::discovery(&AID))]),
            keys: BTreeMap::new(),
            pin: Secret::new(pin, TRIES),
            puk: Secret::new(puk, TRIES),
            management_key,
            random,
            capacity: CAPACITY,
            status: Status::default(),
        }
    }

    /// Puts a key into a slot, as the issuer of the card does before it is
    /// handed out.
    pub fn put_key(&mut self, slot: Slot, key: CardKey) {
        self.keys.insert(slot, key);
    }

    /// Puts a data object on the card; an empty one is taken away (SP 800-73-4
    /// part 2 section 3.3.2).
    ///
    /// # Errors
    /// [`StatusWord::NOT_ENOUGH_MEMORY`]: the card is full. What was there stays.
    pub fn put_object(&mut self, tag: u32, value: &[u8]) -> Result<(), StatusWord> {
        let others = self.objects.iter().filter(|(other, _)| **other != tag).map(|(_, value)| value.len());
        if others.sum::<usize>() + value.len() > self.capacity {
            return Err(StatusWord::NOT_ENOUGH_MEMORY);
        }
        if value.is_empty() {
            self.objects.remove(&tag);
        } else {
            self.objects.insert(tag, Zeroizing::new(value.to_vec()));
        }
        Ok(())
    }

    /// The data objects on the card that nobody has signed, with their values:
    /// all but certificates and the Security Object itself.
    pub fn unsigned_objects(&self) -> impl Iterator<Item = (DataObject, &[u8])> {
        let objects =
            self.objects.iter().filter_map(|(tag, value)| Some((DataObject::by_tag(*tag)?, value.as_slice())));
        objects.filter(|(object, _)| object.tag != object::SECURITY_OBJECT && !object.name.contains("Certificate"))
    }

    /// Another capacity for data objects, in octets.
    pub fn set_capacity(&mut self, octets: usize) {
        self.capacity = octets;
    }

    /// The PIN and its counter.
    pub fn pin_mut(&mut self) -> &mut Secret {
        &mut self.pin
    }

    fn get_data(&self, command: &Command) -> Result<Response, StatusWord> {
        if (command.p1, command.p2) != (0x3F, 0xFF) {
            return Err(StatusWord::INCORRECT_P1_P2);
        }
        let tag = management::wanted_tag(&command.data).ok_or(StatusWord::WRONG_DATA)?;
        let object = DataObject::by_tag(tag).ok_or(StatusWord::NOT_FOUND)?;
        if object.needs_pin && !self.status.pin_verified {
            return Err(StatusWord::SECURITY_STATUS_NOT_SATISFIED);
        }
        let value = self.objects.get(&tag).ok_or(StatusWord::NOT_FOUND)?;
        Ok(Response::ok(tlv::write(if object.is_bare() { tag } else { WRAPPER }, value).to_vec()))
    }

    /// The application property template (SP 800-73-4 part 2 table 3).
    fn properties(&self) -> Zeroizing<Vec<u8>> {
        let (rid, pix) = AID.split_at(5);
        let authority = tlv::constructed(0x79, &[&tlv::write(0x4F, rid)]);
        tlv::constructed(0x61, &[&tlv::write(0x4F, pix), &authority, &tlv::write(0x50, self.label.as_bytes())])
    }
}

impl Application for Piv {
    fn aid(&self) -> &[u8] {
        &AID
    }

    fn shortest_aid(&self) -> usize {
        SHORTEST_AID
    }

    /// yubico-piv-tool 2.2 sends no Le, and takes `61xx` for a refusal.
    fn tells_unasked(&self) -> bool {
        true
    }

    fn select(&mut self) -> Response {
        // Section 3.1.1: selected again, it keeps its security status; but the PIN was not just verified.
        self.status.pin_fresh = false;
        Response::ok(self.properties().to_vec())
    }

    fn deselect(&mut self) {
        self.status = Status::default();
    }

    fn process(&mut self, command: &Command) -> Response {
        use instruction as ins;
        if command.class != 0 {
            return StatusWord::CLASS_NOT_SUPPORTED.into();
        }
        // A PIN that was just verified serves the very next command, whatever comes of it.
        let pin_is_fresh = std::mem::take(&mut self.status.pin_fresh);
        let result = match command.instruction {
            ins::VERIFY => Ok(self.verify(command)),
            ins::CHANGE_REFERENCE_DATA => Ok(self.change_reference_data(command)),
            ins::RESET_RETRY_COUNTER => Ok(self.reset_retry_counter(command)),
            ins::GENERAL_AUTHENTICATE => Ok(self.general_authenticate(command, pin_is_fresh)),
            ins::GET_DATA => self.get_data(command),
            ins::PUT_DATA => self.put_data(command).map(|()| StatusWord::SUCCESS.into()),
            ins::GENERATE_KEY_PAIR => self.generate_key_pair(command),
            _ => Err(StatusWord::INSTRUCTION_NOT_SUPPORTED),
        };
        result.unwrap_or_else(Response::status)
    }

    fn interrupt(&mut self) {
        self.status.pin_fresh = false;
    }

    fn reset(&mut self) {
        self.status = Status::default();
    }
}

impl fmt::Debug for Piv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piv").field("label", &self.label).field("keys", &self.keys).finish_non_exhaustive()
    }
}
