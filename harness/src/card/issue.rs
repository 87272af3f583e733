//! Cards for keys that lie in files: an ordinary PIV card is made, and used
//! through the same client as any other.

use waxseal_card::faults::{Fault, FaultyCard, Script, Trigger, What};
use waxseal_card::host::{InProcess, PivClient, PivKey, ReaderError};
use waxseal_card::key::CardKey;
use waxseal_card::models::MANAGEMENT_KEY;
use waxseal_card::piv::{ManagementKey, Piv, Slot, object, reference_data};
use waxseal_card::{StatusWord, VirtualCard};
use waxseal_engine::certificate::Certificate;
use waxseal_key::{KeyError, PrivateKey, SystemRandom};
use waxseal_model::CardState;

use super::Entered;

/// Why keys cannot be put on a card.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No card holds such a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There are more keys than places.
    #[error("a PIV card has places for {0} keys to read mail with")]
    TooMany(usize),
    /// No PIN.
    #[error("a PIN of a PIV card has six to eight digits")]
    Pin,
    /// It does not fit.
    #[error("the card: {}", .0.meaning())]
    Status(StatusWord),
    /// A certificate cannot be stored.
    #[error("a certificate for the card: {0}")]
    Certificate(#[from] std::io::Error),
    /// The new card cannot be used.
    #[error(transparent)]
    Host(#[from] waxseal_card::host::HostError),
}

impl From<ReaderError> for IssueError {
    fn from(error: ReaderError) -> Self {
        Self::Host(error.into())
    }
}

/// Makes a PIV card: a key that signs, if there is one, and keys that read mail,
/// the first in the slot for it and the others as retired ones.
///
/// # Errors
/// No card holds such a key, or so many; or the PIN is none.
pub fn issue(
    signs: Option<(PrivateKey, &Certificate)>,
    reads: Vec<(PrivateKey, &Certificate)>,
    pin: &str,
) -> Result<VirtualCard, IssueError> {
    let pin = reference_data::padded(pin).ok_or(IssueError::Pin)?;
    let manager = ManagementKey::new(&MANAGEMENT_KEY).ok_or(IssueError::Pin)?;
    let mut piv = Piv::new(pin, *b"12345678", manager, Box::new(SystemRandom));
    let places = std::iter::once(Slot::KeyManagement).chain((1..=object::RETIRED).map(Slot::Retired));
    let wanted = reads.len();
    let reads = places.zip(reads);
    let mut placed = 0;
    for (slot, (key, certificate)) in reads.chain(signs.map(|pair| (Slot::Signature, pair))) {
        piv.put_key(slot, CardKey::new(key)?);
        let object = object::certificate(certificate.der(), false)?;
        piv.put_object(slot.certificate_tag(), &object).map_err(IssueError::Status)?;
        placed += usize::from(slot.decrypts());
    }
    if placed < wanted {
        return Err(IssueError::TooMany(placed));
    }
    let retired = u8::try_from(placed.saturating_sub(1)).unwrap_or(object::RETIRED);
    if retired > 0 {
        piv.put_object(object::KEY_HISTORY, &object::key_history(retired, 0)).map_err(IssueError::Status)?;
    }
    Ok(VirtualCard::new(vec![Box::new(piv)]))
}

/// Such a card in a reader in this process, opened with a PIN that may be
/// another one: its keys that read mail, each with its certificate.
///
/// # Errors
/// As [`issue`].
pub fn issued(
    reads: Vec<(PrivateKey, &Certificate)>,
    pin: &str,
    entered: &str,
    state: Option<CardState>,
) -> Result<Vec<(PivKey, Certificate)>, IssueError> {
    let certificates: Vec<_> = reads.iter().map(|(_, certificate)| (*certificate).clone()).collect();
    let card = FaultyCard::new(issue(None, reads, pin)?, script(state));
    let reader = InProcess::new("a card that was just made", card)?;
    let client = PivClient::new(Box::new(reader), Box::new(Entered(entered.to_owned().into())))?;
    let mut keys = Vec::new();
    for identity in client.identities()? {
        let certificate = certificates.iter().find(|certificate| certificate.der() == identity.certificate);
        if let Some(certificate) = certificate {
            keys.push((client.key(&identity)?, certificate.clone()));
        }
    }
    Ok(keys)
}

/// What was done to a card after its certificates were read, as mail programs
/// keep them, and before its PIN is entered.
fn script(state: Option<CardState>) -> Script {
    let fault = |what| {
        let at = Trigger { command: Some("verify".to_owned()), p2: None, chained: None, data: None };
        Fault { at, nth: 1, times: 1, what }
    };
    let faults = match state {
        Some(CardState::Blocked) => vec![fault(What::BlockPin)],
        Some(CardState::Absent) => vec![fault(What::Remove { back: 0 })],
        _ => Vec::new(),
    };
    Script { title: "before the PIN is entered".to_owned(), why: String::new(), faults }
}
