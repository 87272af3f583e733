//! Which content cipher a mail gets (RFC 8551 section 2.7).
//!
//! The rule, in its order:
//! 1. Nothing is used that the sender's policy does not name in
//!    `negotiation.ciphers`: RC2, DES and Triple DES stand in none of the
//!    built-in policies. If nothing is left, nothing is sent (section 2.7.1: the
//!    decision whether weak encryption is acceptable overrides every rule).
//! 2. A recipient who announced capabilities gets a cipher from the list (section
//!    2.7.1.1). Entries that are not known, or whose parameters mean nothing,
//!    are passed over.
//! 3. A recipient who never did gets what the rule of an era says (section
//!    2.7.1.2): the one that is known for the peer, or else the one that the
//!    policy assumes; see [`ERA_RULES`](super::ERA_RULES).
//! 4. All recipients get the same cipher (section 2.7.3): of those that every one
//!    of them can read, the one whose worst place in their lists is best; between
//!    equals the sender's own order decides. For one recipient this is the first
//!    of the list that the sender can use.
//! 5. Ciphers of SM4 stand before or after all others, if `negotiation.sm2` says
//!    so: recipients whose lists hold both belong to two worlds, and which of them
//!    a mail belongs to is the sender's to say.

use std::fmt;

use waxseal_key::algorithm::{self, Era, Kind};
use waxseal_key::{AeadCipher, ContentCipher};

use super::era::rule;
use super::{Assume, Policy};
use crate::cms::Capability;
use crate::cms::write::ContentEncryption;

/// Somebody who is to read a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'a> {
    /// What to call them, mostly an address.
    pub name: &'a str,
    /// What they announced, most wanted first; `None` if they never did.
    pub announced: Option<&'a [Capability]>,
    /// The era of their mail program, where it is known from elsewhere: a key of
    /// SM2 makes it [`Era::GmT`].
    pub era: Option<Era>,
}

/// The cipher for all recipients, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The cipher.
    pub cipher: ContentEncryption,
    /// What each recipient can read, in their order.
    pub ballots: Vec<Ballot>,
}

/// What one recipient can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// Who.
    pub name: String,
    /// How that is known.
    pub basis: Basis,
    /// The ciphers in the order of preference, and what became of each.
    pub offers: Vec<Offer>,
}

/// How it is known what a recipient can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// They announced it.
    Announced,
    /// They are taken for a mail program of this era.
    Assumed(Era),
}

/// A cipher that a recipient can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// As it was announced, or as the rule of the era names it.
    pub name: String,
    /// The cipher, or why it is not used.
    pub cipher: Result<ContentEncryption, Unusable>,
}

/// Why a cipher is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Its parameters do not say which variant is meant.
    #[error("its parameters mean nothing")]
    Parameters,
    /// The engine cannot write it.
    #[error("cannot be written here")]
    NotWritten,
    /// The sender's policy does not name it.
    #[error("the policy does not send it")]
    NotSent,
    /// It authenticates, was not announced, and the policy does not send such
    /// ciphers on trust.
    #[error("may not be known to who did not announce it")]
    NotAnnounced,
}

/// Why there is no cipher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disagreement {
    /// There is nobody to encrypt for.
    #[error("there is no recipient")]
    NoRecipient,
    /// Somebody never announced anything, and the policy wants to know.
    #[error("{name} never announced what their mail program can read, and policy {policy} assumes nothing")]
    NotAnnounced {
        /// Who.
        name: String,
        /// The sender's policy.
        policy: String,
    },
    /// Somebody can read nothing that the policy sends.
    #[error("nothing that {} can read is sent under policy {policy}: {}", ballot.name, ballot.list())]
    NothingUsable {
        /// What they can read.
        ballot: Ballot,
        /// The sender's policy.
        policy: String,
    },
    /// Everybody can read something, but nothing can be read by all.
    #[error("no cipher can be read by all recipients: {}", ballots.iter().map(Ballot::to_string).collect::<Vec<_>>().join("; "))]
    NothingCommon {
        /// What each of them can read.
        ballots: Vec<Ballot>,
    },
}

impl Disagreement {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRecipient => "no-recipient",
            Self::NotAnnounced { .. } => "not-announced",
            Self::NothingUsable { .. } => "nothing-usable",
            Self::NothingCommon { .. } => "nothing-common",
        }
    }
}

/// Chooses the cipher of a mail to these recipients, by the rule at the head of
/// this module.
///
/// # Errors
/// There is no cipher that the policy sends and everybody can read.
pub fn negotiate(policy: &Policy, peers: &[Peer<'_>]) -> Result<Agreement, Disagreement> {
    let mut ballots = Vec::with_capacity(peers.len());
    for peer in peers {
        let ballot = Ballot::of(policy, peer)?;
        if ballot.usable().next().is_none() {
            return Err(Disagreement::NothingUsable { ballot, policy: policy.name.clone() });
        }
        ballots.push(ballot);
    }
    if ballots.is_empty() {
        return Err(Disagreement::NoRecipient);
    }
    let place = |cipher: ContentEncryption| {
        let places = ballots.iter().map(|ballot| ballot.usable().position(|usable| usable == cipher));
        places.collect::<Option<Vec<_>>>().and_then(|places| places.into_iter().max())
    };
    let readable = policy.negotiation.sent().filter_map(|cipher| Some((place(cipher)?, cipher)));
    let rank = |cipher: ContentEncryption| policy.negotiation.sm2.rank(cipher.name().starts_with("sm4-"));
    // The first of the best: the sender's own order decides between equals.
    match readable.min_by_key(|(place, cipher)| (rank(*cipher), *place)) {
        Some((_, cipher)) => Ok(Agreement { cipher, ballots }),
        None => Err(Disagreement::NothingCommon { ballots }),
    }
}

impl Ballot {
    fn of(policy: &Policy, peer: &Peer<'_>) -> Result<Self, Disagreement> {
        let ballot = |basis, offers| Self { name: peer.name.to_owned(), basis, offers };
        if let Some(announced) = peer.announced {
            return Ok(ballot(Basis::Announced, announced.iter().filter_map(|one| Offer::of(policy, one)).collect()));
        }
        let era = match (peer.era, policy.negotiation.assume) {
            (Some(era), _) | (None, Assume::Era(era)) => era,
            (None, Assume::Nothing) => {
                let (name, policy) = (peer.name.to_owned(), policy.name.clone());
                return Err(Disagreement::NotAnnounced { name, policy });
            }
        };
        let offers = rule(era).unannounced.iter().map(|name| Offer::assumed(policy, name));
        Ok(ballot(Basis::Assumed(era), offers.collect()))
    }

    /// What is used, in the order of preference.
    pub fn usable(&self) -> impl Iterator<Item = ContentEncryption> + '_ {
        self.offers.iter().filter_map(|offer| offer.cipher.ok())
    }

    fn list(&self) -> String {
        match self.offers.as_slice() {
            [] => "no content cipher".to_owned(),
            offers => offers.iter().map(Offer::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

impl Offer {
    /// What a capability says of content ciphers; `None` if it is about
    /// something else, or not known.
    fn of(policy: &Policy, capability: &Capability) -> Option<Self> {
        let row = algorithm::by_oid(capability.oid())?;
        if !row.is(Kind::ContentCipher) && !row.is(Kind::AuthenticatedCipher) {
            return None;
        }
        let cipher = cipher_of(capability).and_then(|cipher| match policy.negotiation.sends(cipher) {
            true => Ok(cipher),
            false => Err(Unusable::NotSent),
        });
        Some(Self { name: capability.to_string(), cipher })
    }

    fn assumed(policy: &Policy, name: &str) -> Self {
        let cipher = match name.parse::<ContentEncryption>() {
            Err(_) => Err(Unusable::NotWritten),
            Ok(cipher) if !policy.negotiation.sends(cipher) => Err(Unusable::NotSent),
            Ok(cipher) if cipher.is_authenticated() && !policy.negotiation.authenticated_unannounced => {
                Err(Unusable::NotAnnounced)
            }
            Ok(cipher) => Ok(cipher),
        };
        Self { name: name.to_owned(), cipher }
    }
}

/// The content cipher that a capability stands for.
///
/// Of RC2 the parameters are the effective key bits (RFC 8551 section 2.5.2).
/// Thunderbird 128 writes 5 there for every variant, which says nothing.
///
/// # Errors
/// It is no cipher that can be written, or not clear which.
pub fn cipher_of(capability: &Capability) -> Result<ContentEncryption, Unusable> {
    let name = capability.name();
    match ContentCipher::from_name(name) {
        Some(ContentCipher::Rc2Cbc { .. }) => match capability.number() {
            Some(bits @ (40 | 64 | 128)) => format!("{name}-{bits}").parse().map_err(|_| Unusable::Parameters),
            _ => Err(Unusable::Parameters),
        },
        _ if capability.has_parameters() => Err(Unusable::Parameters),
        Some(cipher) => Ok(cipher.into()),
        None => AeadCipher::from_name(name).map(ContentEncryption::from).ok_or(Unusable::NotWritten),
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cipher {
            Ok(_) => f.write_str(&self.name),
            Err(why) => write!(f, "{} ({why})", self.name),
        }
    }
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.basis {
            Basis::Announced => write!(f, "{} announced {}", self.name, self.list()),
            Basis::Assumed(era) => {
                write!(f, "{} announced nothing, {} assumes {}", self.name, rule(era).source, self.list())
            }
        }
    }
}

/// For a person: the cipher, and what led to it.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ballots: Vec<_> = self.ballots.iter().map(Ballot::to_string).collect();
        write!(f, "{}: {}", self.cipher.spelling(), ballots.join("; "))
    }
}

#[cfg(test)]
mod tests;
