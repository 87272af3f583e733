//! Signed receipts (RFC 2634 section 2).

use std::io::{Read, SeekFrom};

use waxseal_verdict::{Aspect, Deviation, Kind, Layer, Reason, Receipt};

use crate::check::Check;
use crate::cms::SignedReceipt;
use crate::hex::hex;
use crate::io::{Source, Spool, Workspace};
use crate::message::context::Context;
use crate::message::open;
use crate::message::request::{OpenError, OpenRequest};

/// What the sender of a message keeps of it to recognise the receipts that it
/// asked for (RFC 2634 section 2.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    pub(super) requests: Vec<Requested>,
}

/// One signature with a request for receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requested {
    /// Type of the content, dotted.
    pub(super) content_type: String,
    /// The content identifier, in hexadecimal.
    pub(super) identifier: String,
    /// The signature value.
    pub(super) signature: Vec<u8>,
    /// The digest of the signed attributes.
    pub(super) attributes_digest: Vec<u8>,
}

impl Sent {
    /// Reads a message that was sent, and keeps what its good signatures ask
    /// receipts for.
    ///
    /// # Errors
    /// As [`open`](super::open).
    pub fn read(
        input: &mut dyn Source,
        content: Option<&mut dyn Source>,
        workspace: &mut dyn Workspace,
        request: &OpenRequest<'_>,
    ) -> Result<Self, OpenError> {
        open::open_with(input, content, workspace, request, None).map(|(_, requests)| Self { requests })
    }

    /// Whether the message asks for no receipt.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

/// Judges the content of a signed receipt, and whether it is for a message that
/// was sent, if one was given (RFC 2634 section 2.6).
pub(super) fn judge(layer: &mut Layer, content: &mut dyn Spool, context: &Context<'_>) -> Result<(), OpenError> {
    layer.kind = Kind::Receipt;
    let mut octets = Vec::new();
    content.seek(SeekFrom::Start(0))?;
    let most = context.request.limits.element_octets as u64;
    content.take(most.saturating_add(1)).read_to_end(&mut octets)?;
    if octets.len() as u64 > most {
        structure_bad(layer, Reason::LimitExceeded, format!("Receipt: over {most} octets"));
        return Ok(());
    }
    let receipt = match SignedReceipt::read(&octets) {
        Ok(receipt) => receipt,
        Err(error) => {
            structure_bad(layer, error.reason, error.to_string());
            return Ok(());
        }
    };
    if receipt.version != 1 {
        layer.deviate(Deviation::VersionOdd);
    }
    let said = |signer: &waxseal_verdict::Signer| signer.statements.clone();
    let statements: Vec<_> = layer.signers.iter().map(said).collect();
    if statements.iter().any(|said| said.receipt_digest.is_none()) && Check::MandatoryAttributes.on() {
        let detail = "Receipt: a signer without the msgSigDigest attribute (RFC 2634 section 2.4)".to_owned();
        structure_bad(layer, Reason::MissingAttribute, detail);
    }
    if statements.iter().any(|said| said.receipt_request.is_some() || !said.expansion_history.is_empty()) {
        layer.deviate(Deviation::AttributeOutOfPlace);
    }
    let digests: Vec<_> = statements.into_iter().filter_map(|said| said.receipt_digest).collect();
    let original = context.sent.map_or(Aspect::Absent, |sent| compare(sent, &receipt, &digests));
    if original.is_bad() {
        layer.integrity = std::mem::take(&mut layer.integrity).worst(original.clone());
    }
    layer.receipt = Some(Receipt {
        content_type: receipt.content_type,
        identifier: hex(&receipt.identifier),
        signature: hex(&receipt.signature),
        original,
    });
    Ok(())
}

/// Whether a receipt is for one of the signatures that asked for it.
fn compare(sent: &Sent, receipt: &SignedReceipt, digests: &[String]) -> Aspect {
    let bad = |what: &str| Aspect::bad(Reason::ReceiptMismatch, format!("Receipt: {what} (RFC 2634 section 2.6)"));
    let identifier = hex(&receipt.identifier);
    let named: Vec<_> = sent.requests.iter().filter(|request| request.identifier == identifier).collect();
    if named.is_empty() {
        return bad("no signature of the message that was given asks for a receipt with this identifier");
    }
    let same =
        |request: &&&Requested| request.signature == receipt.signature && request.content_type == receipt.content_type;
    let Some(request) = named.iter().find(same) else {
        return bad("content type or signature value are not those of the message that was given");
    };
    let due = hex(&request.attributes_digest);
    if digests.is_empty() || digests.iter().any(|digest| *digest != due) {
        return bad("msgSigDigest is not the digest of the signed attributes of the message that was given");
    }
    Aspect::Good
}

fn structure_bad(layer: &mut Layer, reason: Reason, detail: String) {
    layer.structure = std::mem::take(&mut layer.structure).worst(Aspect::bad(reason, detail));
}
