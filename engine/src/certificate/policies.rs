//! The extensions that speak of certificate policies (RFC 5280 sections
//! 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14), as read from a certificate.

use super::CertificateError;
use super::extensions::{oid, small_unsigned};
use super::field::{Fields as _, object_identifier};
use crate::ber::{Cursor, identifier as tag};

/// What a certificate says of policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyExtensions {
    /// certificatePolicies: the policies, dotted; `None` without the extension.
    pub policies: Option<Vec<String>>,
    /// policyMappings: of the issuer's domain, and of the subject's.
    pub mappings: Vec<(String, String)>,
    /// requireExplicitPolicy: after so many certificates a policy has to be valid.
    pub require_explicit: Option<u32>,
    /// inhibitPolicyMapping: after so many certificates none is mapped.
    pub inhibit_mapping: Option<u32>,
    /// inhibitAnyPolicy: after so many certificates anyPolicy means nothing.
    pub inhibit_any: Option<u32>,
    /// Set where one of them could not be read, or occurs twice: then no policy
    /// is valid.
    pub(super) unreadable: bool,
}

impl PolicyExtensions {
    /// Whether one of the extensions could not be read.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Reads one extension; others than those of policies are passed over.
    pub(super) fn take(&mut self, extension: &str, value: &[u8]) -> Result<(), CertificateError> {
        let list = |what| Ok::<_, CertificateError>(Cursor::new(value, 0).field(tag::SEQUENCE, what)?.inside());
        match extension {
            oid::CERTIFICATE_POLICIES => {
                let mut list = list("certificatePolicies")?;
                let mut policies = Vec::new();
                while !list.is_empty() {
                    let mut information = list.field(tag::SEQUENCE, "policy information")?.inside();
                    policies.push(object_identifier(&information.field(tag::OID, "policyIdentifier")?)?);
                }
                self.policies = Some(policies);
            }
            oid::POLICY_MAPPINGS => {
                let mut list = list("policyMappings")?;
                while !list.is_empty() {
                    let mut mapping = list.field(tag::SEQUENCE, "policy mapping")?.inside();
                    let mut policy = |what| object_identifier(&mapping.field(tag::OID, what)?);
                    self.mappings.push((policy("issuerDomainPolicy")?, policy("subjectDomainPolicy")?));
                }
            }
            oid::POLICY_CONSTRAINTS => {
                let mut fields = list("policyConstraints")?;
                self.require_explicit = skip_certs(&mut fields, 0, "requireExplicitPolicy")?;
                self.inhibit_mapping = skip_certs(&mut fields, 1, "inhibitPolicyMapping")?;
            }
            oid::INHIBIT_ANY_POLICY => {
                let skip = Cursor::new(value, 0).field(tag::INTEGER, "inhibitAnyPolicy")?;
                self.inhibit_any = Some(number(skip.content, skip.offset, "inhibitAnyPolicy")?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether an extension is one of those read here.
pub(super) fn is_policy_extension(extension: &str) -> bool {
    [oid::CERTIFICATE_POLICIES, oid::POLICY_MAPPINGS, oid::POLICY_CONSTRAINTS, oid::INHIBIT_ANY_POLICY]
        .contains(&extension)
}

/// SkipCerts with an implicit tag.
fn skip_certs(fields: &mut Cursor<'_>, tag: u8, what: &'static str) -> Result<Option<u32>, CertificateError> {
    let element = fields.optional(tag::context_primitive(tag), what)?;
    element.map(|element| number(element.content, element.offset, what)).transpose()
}

fn number(content: &[u8], offset: u64, what: &'static str) -> Result<u32, CertificateError> {
    small_unsigned(content).ok_or_else(|| CertificateError::encoding(offset, what, "is negative or empty"))
}
