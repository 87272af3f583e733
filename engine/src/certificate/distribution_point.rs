//! Where a CRL is, and what it is about (RFC 5280 sections 4.2.1.13, 4.2.1.15
//! and 5.2.5).

use super::CertificateError;
use super::field::{Fields as _, bits};
use super::general_name::{GeneralName, read_general_names};
use super::name::Name;
use crate::ber::{Cursor, Element, identifier as tag};

/// Reasons for revocation, as a set (RFC 5280 section 4.2.1.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons(u16);

impl Reasons {
    /// No reason.
    pub const NONE: Self = Self(0);
    /// Every reason: keyCompromise to aACompromise. The first bit is unused.
    pub const ALL: Self = Self(0x1fe);

    /// The reasons in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The reasons in any of both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are in the other set.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn read(element: &Element<'_>) -> Result<Self, CertificateError> {
        let octets = bits(element)?;
        let octet = |at: usize| octets.get(at).map_or(0, |octet| u16::from(octet.reverse_bits()));
        Ok(Self((octet(0) | octet(1) << 8) & Self::ALL.0))
    }
}

/// The name of a place where CRLs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointName {
    /// fullName: several names of one place.
    Full(Vec<GeneralName>),
    /// nameRelativeToCRLIssuer: below the name of whoever issues the CRL.
    Relative(Name),
}

impl PointName {
    /// DistributionPointName, a CHOICE, so that its tag stands inside of another.
    fn read(element: &Element<'_>) -> Result<Self, CertificateError> {
        let choice = element.inside().any("distribution point name")?;
        match choice.identifier() {
            0xa0 => Ok(Self::Full(read_general_names(choice.inside())?)),
            0xa1 => Ok(Self::Relative(Name::of_rdn(&choice)?)),
            _ => Err(CertificateError::encoding(choice.offset, "distribution point name", "has an unknown tag")),
        }
    }

    /// All names of the place; `issuer` is who issues the CRL.
    pub(super) fn names(&self, issuer: &Name) -> Vec<GeneralName> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(rdn) => vec![GeneralName::Directory(issuer.with(rdn))],
        }
    }
}

/// One DistributionPoint of cRLDistributionPoints or freshestCRL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// Where the CRL is.
    pub name: Option<PointName>,
    /// For which reasons; all, if none are said.
    pub reasons: Option<Reasons>,
    /// Who issues the CRL, if that is not the issuer of the certificate.
    pub crl_issuer: Vec<GeneralName>,
}

/// Reads CRLDistributionPoints.
pub(super) fn read_points(value: &[u8]) -> Result<Vec<DistributionPoint>, CertificateError> {
    let mut list = Cursor::new(value, 0).field(tag::SEQUENCE, "cRLDistributionPoints")?.inside();
    let mut points = Vec::new();
    while !list.is_empty() {
        let mut fields = list.field(tag::SEQUENCE, "distribution point")?.inside();
        let name = fields.optional(tag::context(0), "distributionPoint")?;
        let reasons = fields.optional(tag::context_primitive(1), "reasons")?;
        let issuer = fields.optional(tag::context(2), "cRLIssuer")?;
        points.push(DistributionPoint {
            name: name.as_ref().map(PointName::read).transpose()?,
            reasons: reasons.as_ref().map(Reasons::read).transpose()?,
            crl_issuer: issuer.map(|names| read_general_names(names.inside())).transpose()?.unwrap_or_default(),
        });
    }
    Ok(points)
}

/// issuingDistributionPoint: what a CRL is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrlScope {
    /// Where the CRL is.
    pub name: Option<PointName>,
    /// onlyContainsUserCerts.
    pub only_users: bool,
    /// onlyContainsCACerts.
    pub only_authorities: bool,
    /// onlySomeReasons.
    pub reasons: Option<Reasons>,
    /// indirectCRL: certificates of other issuers, too.
    pub indirect: bool,
    /// onlyContainsAttributeCerts.
    pub only_attributes: bool,
}

impl CrlScope {
    pub(super) fn read(value: &[u8]) -> Result<Self, CertificateError> {
        let mut fields = Cursor::new(value, 0).field(tag::SEQUENCE, "issuingDistributionPoint")?.inside();
        let name = fields.optional(tag::context(0), "distributionPoint")?;
        let only_users = flag(&mut fields, 1)?;
        let only_authorities = flag(&mut fields, 2)?;
        let reasons = fields.optional(tag::context_primitive(3), "onlySomeReasons")?;
        let indirect = flag(&mut fields, 4)?;
        let only_attributes = flag(&mut fields, 5)?;
        Ok(Self {
            name: name.as_ref().map(PointName::read).transpose()?,
            only_users,
            only_authorities,
            reasons: reasons.as_ref().map(Reasons::read).transpose()?,
            indirect,
            only_attributes,
        })
    }
}

/// A BOOLEAN that is FALSE by default.
fn flag(fields: &mut Cursor<'_>, number: u8) -> Result<bool, CertificateError> {
    let element = fields.optional(tag::context_primitive(number), "a flag of issuingDistributionPoint")?;
    Ok(element.is_some_and(|element| element.content != [0]))
}
