//! Extensions that rcgen does not write as the corpus needs them (RFC 5280
//! sections 4.2.1.4 to 4.2.1.11).

use std::net::IpAddr;

use rcgen::CustomExtension;
use waxseal_engine::ber::writer;
use waxseal_model::Entity;

/// id-on-SmtpUTF8Mailbox (RFC 9598 section 3).
pub(super) const SMTP_UTF8_MAILBOX: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 9];

const NAME_CONSTRAINTS: [u64; 4] = [2, 5, 29, 30];
const CERTIFICATE_POLICIES: [u64; 4] = [2, 5, 29, 32];
const POLICY_MAPPINGS: [u64; 4] = [2, 5, 29, 33];
const POLICY_CONSTRAINTS: [u64; 4] = [2, 5, 29, 36];

/// What an entity limits, and what its policies are.
pub(super) fn of(entity: &Entity) -> Result<Vec<CustomExtension>, String> {
    let mut extensions = Vec::new();
    if let Some(constraints) = &entity.name_constraints {
        let value = [subtrees(0xa0, &constraints.permitted)?, subtrees(0xa1, &constraints.excluded)?];
        extensions.push(extension(&NAME_CONSTRAINTS, true, writer::sequence(value)));
    }
    if !entity.policies.is_empty() {
        let information = entity.policies.iter().map(|policy| Ok(writer::sequence([oid(policy)?])));
        let value = writer::sequence(information.collect::<Result<Vec<_>, String>>()?);
        extensions.push(extension(&CERTIFICATE_POLICIES, false, value));
    }
    if !entity.policy_mappings.is_empty() {
        let mapping = |pair: &[String; 2]| Ok(writer::sequence([oid(&pair[0])?, oid(&pair[1])?]));
        let value = writer::sequence(entity.policy_mappings.iter().map(mapping).collect::<Result<Vec<_>, String>>()?);
        extensions.push(extension(&POLICY_MAPPINGS, true, value));
    }
    let skip = |number: u8, skip: Option<u8>| skip.map(|certificates| writer::element(0x80 | number, &[certificates]));
    let constraints = [skip(0, entity.require_explicit_policy), skip(1, entity.inhibit_policy_mapping)];
    let constraints: Vec<_> = constraints.into_iter().flatten().collect();
    if !constraints.is_empty() {
        extensions.push(extension(&POLICY_CONSTRAINTS, true, writer::sequence(constraints)));
    }
    Ok(extensions)
}

fn extension(oid: &[u64], critical: bool, value: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, value);
    extension.set_criticality(critical);
    extension
}

fn oid(dotted: &str) -> Result<Vec<u8>, String> {
    writer::oid(dotted).map_err(|error| error.to_string())
}

/// GeneralSubtrees under their tag; nothing if there are none.
fn subtrees(tag: u8, names: &[String]) -> Result<Vec<u8>, String> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let subtrees = names.iter().map(|name| Ok(writer::sequence([base(name)?])));
    Ok(writer::constructed(tag, subtrees.collect::<Result<Vec<_>, String>>()?))
}

/// The base of a subtree from `form:value`; its tag is that of GeneralName.
fn base(name: &str) -> Result<Vec<u8>, String> {
    let (form, value) = name.split_once(':').ok_or_else(|| format!("{name:?} is not form:value"))?;
    match form {
        "email" => Ok(writer::element(0x81, value.as_bytes())),
        "dns" => Ok(writer::element(0x82, value.as_bytes())),
        "uri" => Ok(writer::element(0x86, value.as_bytes())),
        "directory" => Ok(writer::constructed(0xa4, [organization(value)?])),
        "ip" => network(value).map(|octets| writer::element(0x87, &octets)),
        _ => Err(format!("{form:?} is no form of a name known here")),
    }
}

/// A Name of one organizationName.
fn organization(name: &str) -> Result<Vec<u8>, String> {
    let attribute = writer::sequence([oid("2.5.4.10")?, writer::utf8_string(name)]);
    Ok(writer::sequence([writer::set_of(vec![attribute])]))
}

/// Address and mask of `192.0.2.0/24` (section 4.2.1.10).
fn network(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{text:?} is not address/bits");
    let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
    let bits: u32 = bits.parse().map_err(|_| wrong())?;
    let address = match address.parse().map_err(|_| wrong())? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mask = (0..address.len() as u32).map(|octet| {
        let ones = bits.saturating_sub(octet * 8).min(8);
        0xff_u8.checked_shl(8 - ones).unwrap_or(0)
    });
    let mask: Vec<u8> = mask.collect();
    Ok([address, mask].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5280 section 4.2.1.10: 192.0.2.0/24 is C0 00 02 00 FF FF FF 00.
    #[test]
    fn networks_are_address_and_mask() {
        assert_eq!(network("192.0.2.0/24").unwrap(), [0xc0, 0, 2, 0, 0xff, 0xff, 0xff, 0]);
        assert_eq!(network("10.0.0.0/9").unwrap()[4..], [0xff, 0x80, 0, 0]);
        assert_eq!(network("2001:db8::/32").unwrap().len(), 32);
        assert!(network("192.0.2.0").is_err() && network("x/8").is_err());
    }

    #[test]
    fn forms_of_names_have_their_tags() {
        assert_eq!(base("email:a.test").unwrap(), b"\x81\x06a.test");
        assert_eq!(base("uri:.a.test").unwrap()[0], 0x86);
        assert_eq!(base("directory:X").unwrap()[0], 0xa4);
        assert!(base("x400:a").is_err() && base("a.test").is_err());
    }
}
