//! Smart cards as a program uses them: which readers there are, where the PIN
//! comes from, and the keys of a card beside those of files.

mod issue;
mod pins;
mod readers;
mod written;

use waxseal_card::host::{Identity, PivClient, PivKey};
use waxseal_card::piv::Slot;
use waxseal_engine::certificate::Certificate;

pub use self::issue::{IssueError, issue, issued};
pub use self::pins::{Entered, Prompt};
pub use self::readers::{PREFIX, ReaderState, open_reader, readers, virtual_card};
pub use self::written::Written;
use crate::exit::Failed;

/// The keys of a card that somebody may have encrypted mail for, newest first:
/// the Key Management key and the retired ones, then the other RSA keys.
///
/// # Errors
/// The card does not answer, or one of its certificates is damaged.
pub fn reading_keys(client: &PivClient) -> Result<Vec<(PivKey, Certificate)>, Failed> {
    use waxseal_card::key::KeyKind;
    let mut identities = client.identities().map_err(failed)?;
    // One that cannot be read must not keep the others from being used, nor be missed without a word.
    for identity in identities.iter().filter(|identity| identity.problem.is_some()) {
        let problem = identity.problem.as_deref().unwrap_or_default();
        eprintln!("note: the key in slot {} is left out: {problem}", identity.slot.name());
    }
    identities.retain(|identity| match identity.kind {
        Some(KeyKind::Rsa(_)) => identity.slot != Slot::CardAuthentication,
        Some(_) => identity.slot.decrypts(),
        None => false,
    });
    identities.sort_by_key(|identity| !identity.slot.decrypts());
    identities.iter().map(|identity| key(client, identity)).collect()
}

/// The key of a slot, and its certificate.
///
/// # Errors
/// The slot is empty, the card does not answer, or the certificate is damaged.
pub fn key_in(client: &PivClient, slot: Slot) -> Result<(PivKey, Certificate), Failed> {
    let Some(identity) = client.identity(slot).map_err(failed)? else {
        let identities = client.identities().map_err(failed)?;
        let there: Vec<_> = identities.iter().map(|identity| identity.slot.name()).collect();
        return Err(Failed::usage(format!(
            "the card has no certificate for slot {} ({}); it has some for {}",
            slot.name(),
            slot.title(),
            if there.is_empty() { "none".to_owned() } else { there.join(", ") }
        )));
    };
    key(client, &identity)
}

fn key(client: &PivClient, identity: &Identity) -> Result<(PivKey, Certificate), Failed> {
    let slot = identity.slot.name();
    let certificate =
        Certificate::parse(&identity.certificate).map_err(Failed::at(format!("the certificate of slot {slot}")))?;
    Ok((client.key(identity).map_err(failed)?, certificate))
}

/// An error of a card is one of use: nothing is wrong with any message.
pub fn failed(error: waxseal_card::host::HostError) -> Failed {
    Failed::usage(format!("card: {error}"))
}
