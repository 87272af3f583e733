//! Whether somebody wants a correspondent to use less than they can.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_verdict::{Aspect, Reason};

use super::{AddressBook, Announcement};
use crate::Check;
use crate::cms::Capability;
use crate::cms::write::ContentEncryption;
use crate::policy::{Policy, cipher_of};

impl AddressBook {
    /// Judges what a signature announces against what is known of its signer.
    ///
    /// Good if nobody is known under the address, or nothing was announced
    /// before, or the list still holds a cipher that the policy sends. Else,
    /// where the known list holds one:
    /// - `downgrade`: the list was signed later, and holds none;
    /// - `capability-stripped`: the mail was signed later, and has no list;
    /// - `capability-replayed`: the list was signed earlier, or does not say
    ///   when, and holds none. Old mail that is read again has this, too.
    #[must_use]
    pub fn judge_announcement(
        &self,
        policy: &Policy,
        address: &str,
        announced: Option<&[Capability]>,
        signed_at: Option<OffsetDateTime>,
    ) -> Aspect {
        let known = self.correspondent(address).and_then(|known| known.announcement.as_ref());
        let Some(known) = known.filter(|_| Check::Downgrade.on()) else { return Aspect::Good };
        let sent =
            |list: &[Capability]| list.iter().any(|one| cipher_of(one).is_ok_and(|it| policy.negotiation.sends(it)));
        if !sent(&known.capabilities) || announced.is_some_and(sent) {
            return Aspect::Good;
        }
        let later = signed_at > known.signed_at;
        let before = format!("{address} announced {} on {}", list(&known.capabilities), date(known.signed_at));
        match announced {
            None if later => {
                let what = format!("{before}; this mail, signed {}, announces nothing", date(signed_at));
                Aspect::bad(Reason::CapabilityStripped, what)
            }
            None => Aspect::Good,
            Some(announced) if later => {
                let what = format!("{before}; now, on {}, only {}", date(signed_at), list(announced));
                Aspect::bad(Reason::Downgrade, what)
            }
            Some(announced) => {
                let what = format!(
                    "{before}; this mail, signed {}, announces only {} and is not newer: its list is not taken",
                    date(signed_at),
                    list(announced)
                );
                Aspect::bad(Reason::CapabilityReplayed, what)
            }
        }
    }

    /// Judges the cipher of a mail against what its sender and its reader
    /// announced, each given by their addresses.
    ///
    /// `downgrade` if both announced a stronger one that the policy sends, and
    /// the cipher is below `negotiation.downgrade_below_bits`. Good if one of
    /// them is not known.
    #[must_use]
    pub fn judge_cipher(&self, policy: &Policy, sender: &[&str], reader: &[&str], cipher: (&str, u32)) -> Aspect {
        let announced = |addresses: &[&str]| -> Option<&Announcement> {
            let known = addresses.iter().filter_map(|address| self.correspondent(address)?.announcement.as_ref());
            known.max_by_key(|announcement| announcement.signed_at)
        };
        let (Some(theirs), Some(ours)) = (announced(sender), announced(reader)) else { return Aspect::Good };
        let (name, strength) = cipher;
        if !Check::Downgrade.on() || strength >= policy.negotiation.downgrade_below_bits {
            return Aspect::Good;
        }
        let common = policy.negotiation.sent().filter(|cipher| theirs.holds(*cipher) && ours.holds(*cipher));
        match common.max_by_key(|cipher| cipher.strength_bits()) {
            Some(best) if best.strength_bits() > strength => {
                let what =
                    format!("encrypted with {name}, though sender and reader both announced {}", best.spelling());
                Aspect::bad(Reason::Downgrade, what)
            }
            _ => Aspect::Good,
        }
    }
}

impl Announcement {
    fn holds(&self, cipher: ContentEncryption) -> bool {
        self.capabilities.iter().any(|capability| cipher_of(capability) == Ok(cipher))
    }
}

fn list(capabilities: &[Capability]) -> String {
    const SHOWN: usize = 8;
    let mut text = capabilities.iter().take(SHOWN).map(Capability::to_string).collect::<Vec<_>>().join(", ");
    match capabilities.len() {
        0 => text.push_str("nothing"),
        len if len > SHOWN => text += &format!(" and {} more", len - SHOWN),
        _ => {}
    }
    text
}

fn date(time: Option<OffsetDateTime>) -> String {
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "an unknown day".to_owned())
}
