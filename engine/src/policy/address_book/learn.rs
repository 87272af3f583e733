//! What signed mail adds to the address book.

use time::OffsetDateTime;
use waxseal_verdict::{Aspect, Reason};

use super::{AddressBook, Announcement, Correspondent, KnownCertificate};
use crate::certificate::{Certificate, identity};
use crate::cms::Capability;
use crate::policy::Policy;

/// What a signature without a fault tells of its signer.
///
/// [`message::open`](crate::message::open) makes one only where structure,
/// integrity, coverage, chain and identity are good, and neither policy nor
/// time is bad but for a downgrade, which stands in `downgrade` (RFC 8551
/// sections 2.5.3 and 2.7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introduction {
    /// The addresses that the signer's certificate names, at least one.
    pub addresses: Vec<String>,
    /// The signer's certificate.
    pub signer: Certificate,
    /// The certificate to encrypt for, and how it was found. A path leads from it
    /// to an anchor, its key may encrypt, and it names no other holder.
    pub encryption: Option<(Certificate, Named)>,
    /// The SMIMECapabilities attribute, if there is one.
    pub capabilities: Option<Vec<Capability>>,
    /// The signing time, which is not in the future.
    pub signed_at: Option<OffsetDateTime>,
    /// Good, or what it would take away from what is known: see
    /// [`AddressBook::judge_announcement`].
    pub downgrade: Aspect,
}

/// How the certificate to encrypt for was found (RFC 8551 section 2.5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// The key preference attribute names it.
    ByPreference,
    /// It is the signer's own.
    AsSigner,
    /// It was sent along and has the signer's subject name.
    BySubject,
}

/// What an address book made of an introduction, for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The address.
    pub address: String,
    /// The signer's certificate.
    pub signing: Learned,
    /// The certificate to encrypt for; `None` if none was found.
    pub encryption: Option<Learned>,
    /// The capabilities; `None` if there were none.
    pub announcement: Option<Learned>,
}

/// What became of one thing that could be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learned {
    /// It was not known.
    New,
    /// It was known, and is newer than what was.
    Newer,
    /// It is what was known, or older, and changed nothing.
    Known,
    /// It is older, and kept as such: something newer stays the first choice.
    Older,
    /// It was not taken, for this reason.
    Refused(Reason),
}

impl Learned {
    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Newer => "newer",
            Self::Known => "known",
            Self::Older => "older",
            Self::Refused(_) => "refused",
        }
    }
}

impl AddressBook {
    /// Learns from a signature, for every address that its certificate names.
    ///
    /// Never from an older one: capabilities are replaced by a list that was
    /// signed later, and by no other; certificates are ordered by the last mail
    /// that used or named them. A list that is a downgrade under this policy is
    /// taken only if a person decided so, `accept_downgrade`.
    pub fn learn(&mut self, introduction: &Introduction, policy: &Policy, accept_downgrade: bool) -> Vec<Lesson> {
        let mut addresses: Vec<_> =
            introduction.addresses.iter().filter_map(|address| identity::comparable(address)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let mut lessons = Vec::new();
        for address in addresses {
            let judged =
                self.judge_announcement(policy, &address, introduction.capabilities.as_deref(), introduction.signed_at);
            let refused = judged.reason().filter(|_| !accept_downgrade);
            let known = self.correspondents.entry(address.clone()).or_default();
            lessons.push(known.learn(address, introduction, refused));
        }
        lessons
    }
}

impl Correspondent {
    fn learn(&mut self, address: String, introduction: &Introduction, refused: Option<Reason>) -> Lesson {
        let at = introduction.signed_at;
        let encryption = introduction.encryption.as_ref();
        Lesson {
            address,
            signing: insert(&mut self.signing, &introduction.signer, at),
            encryption: encryption.map(|(certificate, _)| insert(&mut self.encryption, certificate, at)),
            announcement: introduction
                .capabilities
                .as_ref()
                .map(|capabilities| self.announce(capabilities, at, refused)),
        }
    }

    fn announce(&mut self, list: &[Capability], at: Option<OffsetDateTime>, refused: Option<Reason>) -> Learned {
        let announcement = Announcement { capabilities: list.to_vec(), signed_at: at };
        match &self.announcement {
            None => {
                self.announcement = Some(announcement);
                Learned::New
            }
            Some(known) if *known == announcement => Learned::Known,
            Some(_) if refused.is_some() => refused.map_or(Learned::Known, Learned::Refused),
            Some(known) if at > known.signed_at => {
                self.announcement = Some(announcement);
                Learned::Newer
            }
            Some(_) => Learned::Older,
        }
    }
}

/// Puts a certificate into its place: last seen first.
fn insert(list: &mut Vec<KnownCertificate>, certificate: &Certificate, at: Option<OffsetDateTime>) -> Learned {
    let newest = list.first().and_then(|first| first.seen);
    let found = list.iter_mut().find(|known| known.certificate == *certificate);
    let learned = match found {
        Some(known) if at > known.seen => {
            known.seen = at;
            Learned::Newer
        }
        Some(_) => return Learned::Known,
        None => {
            list.push(KnownCertificate { certificate: certificate.clone(), seen: at });
            if list.len() > 1 && at <= newest { Learned::Older } else { Learned::New }
        }
    };
    list.sort_by_key(|known| std::cmp::Reverse(known.seen));
    list.truncate(AddressBook::MOST_CERTIFICATES);
    learned
}
