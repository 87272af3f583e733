//! A client of the PIV application.

use std::{cell::RefCell, fmt, rc::Rc};

use waxseal_key::{Random as _, SystemRandom, constant_time_eq};
use zeroize::Zeroizing;

use super::{
    HostError, PinPurpose, PinRequest, PinSource, PivKey, Reader, ReaderError,
    channel::{bad, exchange},
    tried::Tried,
};
use crate::{
    Command, Response, StatusWord,
    key::KeyKind,
    piv::{
        self, Access, Algorithm, ManagementKey, Slot, instruction as ins,
        object::{self, DataObject, WRAPPER},
        reference_data,
    },
    tlv,
};

/// The PIV application of the card in a reader.
///
/// Everything that belongs together happens in one transaction, which begins by
/// selecting the application: another program may have selected something else
/// since. A PIN is asked for when it is needed, and sent once.
#[derive(Clone)]
pub struct PivClient {
    session: Rc<RefCell<Session>>,
}

struct Session {
    reader: Box<dyn Reader>,
    pins: Box<dyn PinSource>,
    tried: Tried,
    /// The CHUID of the card, once it was read: another card has another one.
    chuid: Option<Option<Vec<u8>>>,
    /// The card was reset or taken out: there must be a new connection first.
    is_stale: bool,
}

/// A key of the card and its certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where it lies.
    pub slot: Slot,
    /// DER of the certificate.
    pub certificate: Vec<u8>,
    /// The kind of key, if it is one that can be used through this client.
    pub kind: Option<KeyKind>,
    /// Why the certificate cannot be read; it is empty then.
    pub problem: Option<String>,
}

impl PivClient {
    /// Selects the PIV application of the card in a reader. PINs come from
    /// `pins`.
    ///
    /// # Errors
    /// There is no card, or it has no PIV application.
    pub fn new(reader: Box<dyn Reader>, pins: Box<dyn PinSource>) -> Result<Self, HostError> {
        let session = Session { reader, pins, tried: Tried::default(), chuid: None, is_stale: false };
        let client = Self { session: Rc::new(RefCell::new(session)) };
        client.transaction(|session| {
            session.chuid = Some(session.object_by_tag(object::CHUID)?);
            Ok(())
        })?;
        Ok(client)
    }

    /// The name of the reader.
    #[must_use]
    pub fn reader(&self) -> String {
        self.session.borrow().reader.name().to_owned()
    }

    /// The answer to reset of the card.
    #[must_use]
    pub fn atr(&self) -> Vec<u8> {
        self.session.borrow().reader.atr()
    }

    /// The value of a data object; `None` where the card does not have it. One
    /// that needs a PIN asks for it.
    ///
    /// # Errors
    /// The card does not answer, or refuses.
    pub fn object(&self, object: DataObject) -> Result<Option<Vec<u8>>, HostError> {
        self.transaction(|session| {
            if object.needs_pin {
                session.verify(PinPurpose::Read, false)?;
            }
            session.object(object)
        })
    }

    /// The GUID of the card, from its CHUID.
    ///
    /// # Errors
    /// As [`object`](Self::object).
    pub fn guid(&self) -> Result<Option<Vec<u8>>, HostError> {
        let session = self.session.borrow();
        Ok(session.chuid.iter().flatten().find_map(|chuid| object::guid(chuid)).map(<[u8]>::to_vec))
    }

    /// How many tries the PIN has left, 0 if it is blocked; `None` where it is
    /// verified, by whatever program, and the card tells that instead.
    ///
    /// # Errors
    /// The card does not answer, or refuses to tell.
    pub fn tries_left(&self) -> Result<Option<u8>, HostError> {
        self.transaction(Session::tries_left)
    }

    /// Every certificate on the card: those of the four keys, then those of the
    /// retired ones that the Key History Object tells of. One that cannot be read
    /// says why, and does not hide the others.
    ///
    /// # Errors
    /// The card does not answer.
    pub fn identities(&self) -> Result<Vec<Identity>, HostError> {
        self.transaction(|session| {
            let history = session.object_by_tag(object::KEY_HISTORY)?;
            // One that is damaged tells nothing, and old mail must not be lost for it: every place is looked at.
            let told = |history| object::retired_on_card(history).unwrap_or(object::RETIRED);
            let retired = history.as_deref().map_or(0, told);
            let mut identities = Vec::new();
            for slot in Slot::PRIMARY.into_iter().chain((1..=retired).map(Slot::Retired)) {
                identities.extend(session.identity(slot)?);
            }
            Ok(identities)
        })
    }

    /// The certificate of one key; `None` where the card has none.
    ///
    /// # Errors
    /// The card does not answer.
    pub fn identity(&self, slot: Slot) -> Result<Option<Identity>, HostError> {
        self.transaction(|session| session.identity(slot))
    }

    /// A key of the card, as the engine takes it.
    ///
    /// # Errors
    /// Its certificate is damaged, or its key of a kind that the client does not use.
    pub fn key(&self, identity: &Identity) -> Result<PivKey, HostError> {
        PivKey::new(self.clone(), identity)
    }

    /// Changes the PIN.
    ///
    /// # Errors
    /// The old PIN is wrong or blocked, or the new one is none.
    pub fn change_pin(&self, old: &str, new: &str) -> Result<(), HostError> {
        let old = Zeroizing::new(padded(old)?);
        let data = halves(*old, padded(new)?);
        let command = Command::new(0, ins::CHANGE_REFERENCE_DATA, 0, reference_data::PIN).with_data(*data);
        self.transaction(|session| {
            let tries_left = session.tries_left()?;
            session.tried.counter_is(tries_left);
            if tries_left == Some(0) {
                return Err(HostError::PinBlocked);
            }
            session.not_refused(&old, tries_left)?;
            session.tried.send(&old, tries_left);
            let response = exchange(&mut *session.reader, &command, "CHANGE REFERENCE DATA")?;
            let answer = pin_answer(&response, "CHANGE REFERENCE DATA");
            session.tried.answer(is_right(&answer));
            if answer.is_ok() {
                session.tried.forget();
            }
            answer
        })
    }

    /// Sets a new PIN with the PUK: the way back from a blocked PIN.
    ///
    /// # Errors
    /// The PUK is wrong or blocked, or the new PIN is none.
    pub fn unblock_pin(&self, puk: &str, new: &str) -> Result<(), HostError> {
        let puk: [u8; reference_data::LEN] =
            puk.as_bytes().try_into().map_err(|_| HostError::NoKey("a PUK has eight characters".to_owned()))?;
        let data = halves(puk, padded(new)?);
        let command = Command::new(0, ins::RESET_RETRY_COUNTER, 0, reference_data::PIN).with_data(*data);
        self.transaction(|session| {
            let response = exchange(&mut *session.reader, &command, "RESET RETRY COUNTER")?;
            if response.status == StatusWord::SUCCESS {
                session.tried.forget();
            }
            pin_answer(&response, "RESET RETRY COUNTER").map_err(|error| match error {
                HostError::WrongPin { tries_left } => HostError::WrongPuk { tries_left },
                HostError::PinBlocked => HostError::PukBlocked,
                other => other,
            })
        })
    }

    /// Writes a data object, as the issuer of the card does: the card and the
    /// host prove to each other that they have the card management key, which
    /// stays where it is. An empty value takes the object away.
    ///
    /// # Errors
    /// The key is another one, on either side; the card is full, or refuses.
    pub fn put_object(
        &self,
        management_key: &ManagementKey,
        object: DataObject,
        value: &[u8],
    ) -> Result<(), HostError> {
        let tag = object.tag.to_be_bytes();
        let tag: Vec<u8> = tag.into_iter().skip_while(|octet| *octet == 0).collect();
        let data = if object.is_bare() {
            tlv::write(object.tag, value)
        } else {
            Zeroizing::new([tlv::write(0x5C, &tag).as_slice(), &tlv::write(WRAPPER, value)].concat())
        };
        let command = Command::new(0, ins::PUT_DATA, 0x3F, 0xFF).with_data(&*data);
        let name = format!("PUT DATA ({})", object.name);
        self.transaction(|session| {
            session.authenticate_manager(management_key)?;
            let response = exchange(&mut *session.reader, &command, &name)?;
            success(response, &name).map(drop)
        })
    }

    /// GENERAL AUTHENTICATE with a private key: what the template holds beside
    /// the empty response, and the response that comes of it, with what stands
    /// beside it.
    pub(super) fn authenticate(
        &self,
        slot: Slot,
        kind: KeyKind,
        tag: u32,
        value: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HostError> {
        let algorithm =
            Algorithm::of(kind).ok_or_else(|| HostError::NoKey(format!("PIV has no algorithm for {kind}")))?;
        let template = tlv::constructed(piv::TEMPLATE, &[&tlv::write(piv::RESPONSE, &[]), &tlv::write(tag, value)]);
        let command = Command::new(0, ins::GENERAL_AUTHENTICATE, algorithm.id, slot.reference());
        let command = command.with_data(&*template).expecting(256);
        let name = format!("GENERAL AUTHENTICATE with the {} ({}, {kind})", slot.title(), slot.name());
        self.transaction(|session| {
            if slot.access() != Access::Always {
                session.verify(PinPurpose::Key(slot), slot.access() == Access::PinAlways)?;
            }
            let response = exchange(&mut *session.reader, &command, &name)?;
            let data = success(response, &name)?;
            let template = tlv::only(&data, piv::TEMPLATE).ok_or_else(|| bad(&name, "there is no template 7C"))?;
            Ok(Zeroizing::new(template.to_vec()))
        })
    }

    /// Runs something while nobody else talks to the card.
    fn transaction<T>(&self, work: impl FnOnce(&mut Session) -> Result<T, HostError>) -> Result<T, HostError> {
        let mut session = self.session.borrow_mut();
        let result = session.begin().and_then(|()| work(&mut session));
        if let Err(HostError::Reader(_) | HostError::OtherCard) = &result {
            // Whatever happened, the next transaction begins with a new connection.
            session.is_stale = true;
        }
        let ended = session.reader.end();
        match (result, ended) {
            (Ok(value), Ok(())) => Ok(value),
            (Err(error), _) => Err(error),
            // The work was done; a card that went away after it is the next transaction's business.
            (Ok(value), Err(_)) => {
                session.is_stale = true;
                Ok(value)
            }
        }
    }
}

impl Session {
    fn begin(&mut self) -> Result<(), HostError> {
        let mut is_new = std::mem::take(&mut self.is_stale);
        if is_new {
            self.reader.reconnect()?;
        }
        match self.reader.begin() {
            // Between two transactions another program may reset the card, and nothing is lost.
            Err(ReaderError::Reset) => {
                is_new = true;
                self.reader.reconnect()?;
                self.reader.begin()?;
            }
            result => result?,
        }
        let select = Command::new(0, ins::SELECT, 4, 0).with_data(&piv::AID[..9]).expecting(256);
        let response = exchange(&mut *self.reader, &select, "SELECT (PIV)")?;
        if !response.status.is_success() {
            return Err(HostError::NotPiv(response.status));
        }
        // A PIN is for one card: nobody else's may get it, and lose a try by it.
        if is_new && let Some(known) = self.chuid.clone() {
            let found = self.object_by_tag(object::CHUID)?;
            return if found == known { Ok(()) } else { Err(HostError::OtherCard) };
        }
        Ok(())
    }

    fn identity(&mut self, slot: Slot) -> Result<Option<Identity>, HostError> {
        let name = format!("GET DATA (certificate of {})", slot.name());
        let value = match self.object_by_tag(slot.certificate_tag()) {
            Ok(None) => return Ok(None),
            Ok(Some(value)) => object::read_certificate(&value).map_err(|why| bad(&name, &why)),
            Err(error @ (HostError::Refused { .. } | HostError::BadAnswer { .. })) => Err(error),
            Err(error) => return Err(error),
        };
        Ok(Some(match value {
            Ok(certificate) => {
                let kind = tlv::spki_of_certificate(&certificate).and_then(KeyKind::of);
                Identity { slot, certificate, kind, problem: None }
            }
            Err(error) => Identity { slot, certificate: Vec::new(), kind: None, problem: Some(error.to_string()) },
        }))
    }

    fn not_refused(&self, pin: &[u8; reference_data::LEN], tries_left: Option<u8>) -> Result<(), HostError> {
        if self.tried.is_refused(pin) {
            Err(HostError::SamePin { tries_left: tries_left.unwrap_or(0) })
        } else {
            Ok(())
        }
    }

    /// Mutual authentication with the card management key (SP 800-73-4 part 2
    /// section 3.2.4 and appendix A.1).
    fn authenticate_manager(&mut self, key: &ManagementKey) -> Result<(), HostError> {
        let name = "GENERAL AUTHENTICATE with the card management key (9B)";
        let refused = |status| HostError::Refused { command: name.to_owned(), status };
        let mut ask = |parts: &[&[u8]], wanted| {
            let template = tlv::constructed(piv::TEMPLATE, parts);
            let command = Command::new(0, ins::GENERAL_AUTHENTICATE, key.algorithm(), piv::MANAGEMENT_KEY);
            let command = command.with_data(&*template).expecting(256);
            let data = success(exchange(&mut *self.reader, &command, name)?, name)?;
            let part = tlv::only(&data, piv::TEMPLATE).and_then(|template| tlv::find(template, wanted));
            let missing = || bad(name, &format!("there is no {wanted:02X} in a template 7C"));
            part.map(|part| Zeroizing::new(part.to_vec())).ok_or_else(missing)
        };
        let witness = ask(&[&tlv::write(piv::WITNESS, &[])], piv::WITNESS)?;
        let witness = key.decrypt(&witness).map_err(refused)?;
        let mut challenge = Zeroizing::new(vec![0; key.block_len()]);
        SystemRandom.fill(&mut challenge);
        let parts = [tlv::write(piv::WITNESS, &witness), tlv::write(piv::CHALLENGE, &challenge)];
        let response = ask(&[&parts[0], &parts[1]], piv::RESPONSE)?;
        if !constant_time_eq(&response, &key.encrypt(&challenge).map_err(refused)?) {
            return Err(bad(name, "the card has not encrypted the challenge: it has another key"));
        }
        Ok(())
    }

    fn object_by_tag(&mut self, tag: u32) -> Result<Option<Vec<u8>>, HostError> {
        DataObject::by_tag(tag).map_or(Ok(None), |object| self.object(object))
    }

    fn object(&mut self, object: DataObject) -> Result<Option<Vec<u8>>, HostError> {
        let name = format!("GET DATA ({})", object.name);
        let octets = object.tag.to_be_bytes();
        let tag: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
        let command = Command::new(0, ins::GET_DATA, 0x3F, 0xFF).with_data(&*tlv::write(0x5C, &tag)).expecting(256);
        let response = exchange(&mut *self.reader, &command, &name)?;
        if response.status == StatusWord::NOT_FOUND {
            return Ok(None);
        }
        let data = success(response, &name)?;
        let wrapper = if object.is_bare() { object.tag } else { WRAPPER };
        let value = tlv::only(&data, wrapper).ok_or_else(|| bad(&name, &format!("there is no object {wrapper:X}")))?;
        // An object that was taken away is an empty one to some cards.
        Ok(Some(value.to_vec()).filter(|value| !value.is_empty()))
    }

    /// How many tries are left; `None` where the PIN is verified.
    fn tries_left(&mut self) -> Result<Option<u8>, HostError> {
        let name = "VERIFY (status)";
        let command = Command::new(0, ins::VERIFY, 0, reference_data::PIN);
        let response = exchange(&mut *self.reader, &command, name)?;
        match (response.status, response.status.tries()) {
            (StatusWord::SUCCESS, _) => Ok(None),
            (_, Some(tries)) => Ok(Some(tries)),
            (StatusWord::AUTHENTICATION_METHOD_BLOCKED, _) => Ok(Some(0)),
            (status, _) => Err(HostError::Refused { command: name.to_owned(), status }),
        }
    }

    /// Verifies the PIN, unless it is verified and need not be `fresh`.
    fn verify(&mut self, purpose: PinPurpose, fresh: bool) -> Result<(), HostError> {
        let tries_left = self.tries_left()?;
        self.tried.counter_is(tries_left);
        match tries_left {
            Some(0) => return Err(HostError::PinBlocked),
            None if !fresh => return Ok(()),
            _ => {}
        }
        let request = PinRequest { reader: self.reader.name(), purpose, tries_left };
        let pin = self.pins.pin(&request).ok_or(HostError::NoPin)?;
        let pin = Zeroizing::new(padded(&pin)?);
        self.not_refused(&pin, tries_left)?;
        let command = Command::new(0, ins::VERIFY, 0, reference_data::PIN).with_data(*pin);
        self.tried.send(&pin, tries_left);
        let response = exchange(&mut *self.reader, &command, "VERIFY")?;
        let answer = pin_answer(&response, "VERIFY");
        self.tried.answer(is_right(&answer));
        answer
    }
}

fn padded(pin: &str) -> Result<[u8; reference_data::LEN], HostError> {
    reference_data::padded(pin).ok_or(HostError::NotAPin)
}

fn halves(
    first: [u8; reference_data::LEN],
    second: [u8; reference_data::LEN],
) -> Zeroizing<[u8; 2 * reference_data::LEN]> {
    let mut out = Zeroizing::new([0; 2 * reference_data::LEN]);
    out[..reference_data::LEN].copy_from_slice(&first);
    out[reference_data::LEN..].copy_from_slice(&second);
    out
}

fn success(response: Response, command: &str) -> Result<Zeroizing<Vec<u8>>, HostError> {
    if response.status == StatusWord::SUCCESS {
        return Ok(response.data);
    }
    Err(HostError::Refused { command: command.to_owned(), status: response.status })
}

fn pin_answer(response: &Response, command: &str) -> Result<(), HostError> {
    match (response.status, response.status.tries()) {
        (StatusWord::SUCCESS, _) => Ok(()),
        (StatusWord::AUTHENTICATION_METHOD_BLOCKED, _) => Err(HostError::PinBlocked),
        (_, Some(tries_left)) => Err(HostError::WrongPin { tries_left }),
        (status, None) => Err(HostError::Refused { command: command.to_owned(), status }),
    }
}

/// Whether a PIN was right; `None` where the card says neither.
fn is_right(answer: &Result<(), HostError>) -> Option<bool> {
    match answer {
        Ok(()) => Some(true),
        Err(HostError::WrongPin { .. }) => Some(false),
        // A card whose PIN is blocked does not look at it.
        Err(_) => None,
    }
}

impl fmt::Debug for PivClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PivClient").field("reader", &self.reader()).finish_non_exhaustive()
    }
}
