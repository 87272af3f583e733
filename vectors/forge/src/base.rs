//! The entities that recipes protect: MIME header and body, CRLF.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_model::Base;

/// The entity of a recipe, with its `Content-` fields.
pub(crate) fn entity(base: Base) -> Result<Vec<u8>, String> {
    let text = "text/plain; charset=us-ascii";
    Ok(match base {
        Base::Text => part(text, "7bit", TEXT),
        Base::TrailingSpaces => {
            part(text, "7bit", "A line that ends in spaces   \r\nand one that ends in a tab\t\r\n \r\n")
        }
        Base::QuotedPrintable => part(
            "text/plain; charset=utf-8",
            "quoted-printable",
            "Gr=C3=BC=C3=9Fe aus K=C3=B6ln, and a line that is long enough to need a soft =\r\nbreak.=20\r\n=E2=82=AC 5\r\n",
        ),
        Base::Base64 => {
            let encoded = STANDARD.encode("Gr\u{fc}\u{df}e aus K\u{f6}ln\r\n\u{6f22}\u{5b57} \u{20ac}\r\n");
            part("text/plain; charset=utf-8", "base64", format!("{encoded}\r\n"))
        }
        Base::EightBit => part("text/plain; charset=utf-8", "8bit", "Gr\u{fc}\u{df}e aus K\u{f6}ln\r\n"),
        Base::Mixed => mixed(),
        Base::Alternative => multipart(
            "alternative",
            "=_alternative_1",
            &[
                part(text, "7bit", TEXT),
                part("text/html; charset=us-ascii", "7bit", "<html><body><p>Tea at four.</p></body></html>\r\n"),
            ],
        ),
        Base::Binary => part("application/octet-stream", "binary", every_octet()),
        Base::Empty => part(text, "7bit", ""),
        Base::LongLines => part(text, "7bit", format!("{}\r\nshort\r\n", "a line beyond 998 octets ".repeat(100))),
        Base::LineBeginnings => part(
            text,
            "7bit",
            "The table of trains:\r\nFrom London at nine, from Paris at ten.\r\n.\r\n.. and so on\r\n",
        ),
        // binary: nothing but that keeps a writer from making CRLF of the lone LF (RFC 8551 section 3.1.1).
        Base::BareLf => part(text, "binary", "A line that ends in CRLF\r\nand one that ends in LF\nand the last\r\n"),
        Base::Unclosed => unclosed(),
        Base::BoundaryPrefix => multipart(
            "alternative",
            INNER_BOUNDARY,
            &[
                part(text, "7bit", TEXT),
                part("text/html; charset=us-ascii", "7bit", "<html><body><p>Tea at four.</p></body></html>\r\n"),
            ],
        ),
        Base::Large => part(text, "7bit", large()),
        other => return Err(format!("the base entity {other} is not known here")),
    })
}

/// The text of most cases; mutations find their words in it.
const TEXT: &str = "Tea at four, in the garden.\r\nBring the red umbrella.\r\n";

/// The boundary of [`Base::BoundaryPrefix`]; recipes give the multipart around
/// it a boundary that begins with this one, or that this one begins with.
const INNER_BOUNDARY: &str = "=_waxseal_prefix_and_more";

fn part(content_type: &str, encoding: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut part =
        format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").into_bytes();
    part.extend(body.as_ref());
    part
}

fn multipart(subtype: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut entity = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        entity.extend(format!("--{boundary}\r\n").as_bytes());
        entity.extend(part);
        entity.extend(b"\r\n");
    }
    entity.extend(format!("--{boundary}--\r\n").as_bytes());
    entity
}

fn mixed() -> Vec<u8> {
    let encoded = STANDARD.encode(every_octet());
    let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    let attachment = format!(
        "Content-Type: application/octet-stream; name=\"octets.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"octets.bin\"\r\n\r\n{}\r\n",
        lines.join("\r\n")
    );
    let text = part("text/plain; charset=us-ascii", "7bit", TEXT);
    multipart("mixed", "=_mixed_1", &[text, attachment.into_bytes()])
}

/// An inner multipart without its closing delimiter, as some list software leaves it.
fn unclosed() -> Vec<u8> {
    let inner = format!(
        "Content-Type: multipart/alternative; boundary=\"=_inner\"\r\n\r\n\
         --=_inner\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{TEXT}\
         --=_inner\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n<html><body><p>Tea at four.</p></body></html>\r\n"
    );
    multipart("mixed", "=_outer", &[inner.into_bytes(), part("text/plain; charset=us-ascii", "7bit", "A note.\r\n")])
}

fn every_octet() -> Vec<u8> {
    (0..=255).cycle().take(1024).collect()
}

fn large() -> String {
    (0..4000).map(|line| format!("Line {line:04} of many, each of the same length as the others.\r\n")).collect()
}
