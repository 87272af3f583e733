//! Opening a message: every layer, outermost first.

use std::io::SeekFrom;

use waxseal_verdict::{Aspect, Overall, Reason, Verdict};

use crate::certificate::identity::Author;
use crate::io::{Source, Workspace};
use crate::message::context::Context;
use crate::message::input::InputKind;
use crate::message::object::Object;
use crate::message::peel::{Peeled, Peeler};
use crate::message::receipt::{Requested, Sent};
use crate::message::request::{OpenError, OpenRequest, Opened};
use crate::message::{correspondents, headers};
use crate::mime::{self, Headers, MimeError};

/// Opens a message: peels every layer, and judges each.
///
/// `input` is a mail (or a MIME entity), or a bare CMS object in DER, BER or
/// PEM. `content` is what a bare detached signature is over; beside a mail it
/// is refused, as nobody would look at it. Memory stays bounded whatever the
/// size of the content; what a layer puts out waits in spools of `workspace`.
///
/// # Errors
/// There is no verdict: the input is no message, or cannot be read. Once an
/// S/MIME media type or an outer content type was read, damage is a verdict.
pub fn open(
    input: &mut dyn Source,
    content: Option<&mut dyn Source>,
    workspace: &mut dyn Workspace,
    request: &OpenRequest<'_>,
) -> Result<Opened, OpenError> {
    open_with(input, content, workspace, request, None).map(|(opened, _)| opened)
}

/// Opens a message, and compares every signed receipt in it with a message
/// that was sent (RFC 2634 section 2.6).
///
/// # Errors
/// As [`open`].
pub fn open_receipt(
    input: &mut dyn Source,
    sent: &Sent,
    workspace: &mut dyn Workspace,
    request: &OpenRequest<'_>,
) -> Result<Opened, OpenError> {
    open_with(input, None, workspace, request, Some(sent)).map(|(opened, _)| opened)
}

/// The same, with what the message asks receipts for.
pub(super) fn open_with(
    input: &mut dyn Source,
    content: Option<&mut dyn Source>,
    workspace: &mut dyn Workspace,
    request: &OpenRequest<'_>,
    sent: Option<&Sent>,
) -> Result<(Opened, Vec<Requested>), OpenError> {
    let kind = InputKind::of(input, request.limits)?;
    let octets = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(0))?;
    let mut context = Context::new(request, octets, sent);
    let mut outer = None;
    let peeler = match kind {
        InputKind::Neither => return Err(OpenError::NotAMessage),
        InputKind::Mail if content.is_some() => return Err(OpenError::ContentBesideMail),
        InputKind::Mail => {
            let root = match mime::parse(input, request.limits) {
                Ok(root) => root,
                // An S/MIME part may stand behind the limit: that is a verdict.
                Err(error @ MimeError::LimitExceeded { .. }) => {
                    let mut peeler = Peeler::new(&context, workspace);
                    peeler.push_broken("unknown".to_owned(), Aspect::bad(Reason::LimitExceeded, error.to_string()));
                    return Ok((opened(peeler, &context, None), Vec::new()));
                }
                Err(error) => return Err(error.into()),
            };
            if context.author.is_none() {
                context.author = Some(Author::of(&root.headers));
            }
            context.date = root.headers.date();
            let mut peeler = Peeler::new(&context, workspace);
            peeler.peel_tree(input, &root, "")?;
            outer = Some(root.headers);
            peeler
        }
        InputKind::Cms => {
            let mut peeler = Peeler::new(&context, workspace);
            peeler.peel_object(input, &Object::bare(), content)?;
            peeler
        }
        InputKind::TimeStampResponse(response) => {
            let mut peeler = Peeler::new(&context, workspace);
            peeler.peel_response(&response, content)?;
            peeler
        }
        InputKind::Pem(range) => {
            let mut peeler = Peeler::new(&context, workspace);
            peeler.peel_object(input, &Object::pem(range), content)?;
            peeler
        }
    };
    let opened = opened(peeler, &context, outer.as_ref());
    Ok((opened, context.requested.into_inner()))
}

fn opened(peeler: Peeler<'_>, context: &Context<'_>, outer: Option<&Headers>) -> Opened {
    let Peeled { layers, payload, content, notifications } = peeler.into_parts();
    let mut verdict = Verdict::new(context.request.arithmetic.choice().to_string(), layers);
    verdict.notifications = notifications;
    verdict.timestamps = context.timestamps.take();
    if let Some(payload) = payload {
        headers::judge(&mut verdict, &payload, outer, context);
        if let Some(layers) = verdict.layers.get_mut(..payload.layers) {
            headers::judge_secured(layers, outer);
        }
        verdict.overall = Overall::of(&verdict.layers);
    }
    let book = context.request.address_book;
    let introductions = book.map(|book| correspondents::judge(&mut verdict, book, context)).unwrap_or_default();
    Opened { verdict, content, introductions }
}
