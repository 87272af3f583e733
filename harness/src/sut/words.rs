//! How much a shim may say. What it says stands in every line of a record, in
//! memory and in reports, so it is cut where it comes in; what a cut would
//! change the meaning of is no answer.

use waxseal_verdict::{Aspect, Hello, Layer, Verdict};

use crate::shim::protocol::{Answer, JudgedCertificate, Refused, Wrote};

/// Layers of a verdict: twice as many as the reference engine opens.
const LAYERS: usize = 32;
/// Further reasons of an aspect.
const ALSO: usize = 32;
/// Characters of a version.
const VERSION: usize = 100;
/// Names that `hello` lists in one place; the algorithm table has fewer than two hundred.
const NAMES: usize = 1000;
/// Characters of a name, of an algorithm or a recipient.
const NAME: usize = 100;
/// Recipients of a mail that was written.
const RECIPIENTS: usize = 100;

/// One line of at most 500 characters.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, 500)
}

fn shorten_to(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An answer, its texts cut to their limits. The implementation's own words
/// beside it (`native`) are not: a kept case has them whole.
///
/// # Errors
/// It has more of something than it may have: what, and how much is taken.
pub(super) fn within_limits(answer: Answer) -> Result<Answer, String> {
    Ok(match answer {
        Answer::Hello(hello) => Answer::Hello(of_hello(hello)?),
        Answer::Verdict(verdict, native) => Answer::Verdict(of_verdict(verdict)?, native),
        Answer::Wrote(wrote) => Answer::Wrote(of_wrote(wrote)?),
        Answer::Refused(Refused { reason, detail }) => {
            Answer::Refused(Refused { reason: shorten_to(&reason, NAME), detail: shorten(&detail) })
        }
        Answer::Certificate(JudgedCertificate { mut chain, mut identity }) => {
            of_aspect(&mut chain);
            of_aspect(&mut identity);
            Answer::Certificate(JudgedCertificate { chain, identity })
        }
        Answer::Unsupported(why) => Answer::Unsupported(shorten(&why)),
        Answer::Error(error, native) => Answer::Error(shorten(&error), native),
    })
}

fn of_hello(mut hello: Hello) -> Result<Hello, String> {
    for (field, names) in [("algorithms", &hello.algorithms), ("writes_algorithms", &hello.writes_algorithms)] {
        if names.len() > NAMES {
            return Err(format!("hello: {} {field}, at most {NAMES} are taken", names.len()));
        }
        if let Some(name) = names.iter().find(|name| name.chars().nth(NAME).is_some()) {
            let name = shorten_to(name, 20);
            return Err(format!("hello: a name of {field} has more than {NAME} characters: {name}"));
        }
    }
    hello.name = shorten_to(&hello.name, NAME);
    hello.version = shorten_to(&hello.version, VERSION);
    Ok(hello)
}

fn of_verdict(mut verdict: Verdict) -> Result<Verdict, String> {
    if verdict.layers.len() > LAYERS {
        return Err(format!("a verdict of {} layers, at most {LAYERS} are taken", verdict.layers.len()));
    }
    verdict.layers.iter_mut().for_each(of_layer);
    Ok(verdict)
}

fn of_layer(layer: &mut Layer) {
    for name in waxseal_verdict::AspectName::ALL {
        of_aspect(layer.aspect_mut(*name));
    }
}

fn of_aspect(aspect: &mut Aspect) {
    if let Aspect::Bad(bad) = aspect {
        bad.detail = shorten(&bad.detail);
        bad.also.truncate(ALSO);
    }
}

fn of_wrote(wrote: Wrote) -> Result<Wrote, String> {
    if wrote.recipients.len() > RECIPIENTS {
        return Err(format!("wrote: {} recipients, at most {RECIPIENTS} are taken", wrote.recipients.len()));
    }
    Ok(Wrote {
        cipher: wrote.cipher.map(|cipher| shorten_to(&cipher, NAME)),
        recipients: wrote.recipients.iter().map(|serial| shorten_to(serial, NAME)).collect(),
        why: wrote.why.map(|why| shorten(&why)),
    })
}

#[cfg(test)]
mod tests {
    use waxseal_verdict::{Kind, Reason};

    use super::*;
    use crate::shim::engine::Engine;
    use crate::shim::serve::Shim;

    fn long() -> String {
        "word ".repeat(100_000)
    }

    #[test]
    fn every_text_has_its_limit() {
        let mut layer = Layer::new("1/signed-data", Kind::Signed);
        let mut bad = Aspect::bad(Reason::DigestMismatch, long());
        if let Aspect::Bad(bad) = &mut bad {
            bad.also = vec![Reason::Expired; 100_000];
        }
        layer.integrity = bad.clone();
        let hello = Engine::default().hello().unwrap();
        let hello = Hello { name: long(), version: long(), ..hello };
        for answer in [
            Answer::Hello(hello.clone()),
            Answer::Verdict(Verdict::new("x", vec![layer]), None),
            Answer::Wrote(Wrote { cipher: Some(long()), recipients: vec![long()], why: Some(long()) }),
            Answer::Refused(Refused { reason: long(), detail: long() }),
            Answer::Certificate(JudgedCertificate { chain: bad.clone(), identity: bad }),
            Answer::Unsupported(long()),
            Answer::Error(long(), None),
        ] {
            let octets = |answer: &Answer| serde_json::to_vec(&answer.clone().into_line(1)).unwrap().len();
            let cut = within_limits(answer.clone()).unwrap();
            assert!(octets(&answer) > 400_000 && octets(&cut) < 10_000, "{cut:?}");
            assert_eq!(within_limits(cut.clone()), Ok(cut), "what is within the limits stays");
        }
    }

    #[test]
    fn what_a_cut_would_change_is_no_answer() {
        let layers = |count| vec![Layer::new("1/signed-data", Kind::Signed); count];
        assert!(within_limits(Answer::Verdict(Verdict::new("x", layers(LAYERS)), None)).is_ok());
        let error = within_limits(Answer::Verdict(Verdict::new("x", layers(LAYERS + 1)), None)).unwrap_err();
        assert_eq!(error, "a verdict of 33 layers, at most 32 are taken");
        let hello = Engine::default().hello().unwrap();
        assert_eq!(within_limits(Answer::Hello(hello.clone())), Ok(Answer::Hello(hello.clone())));
        let mut many = hello.clone();
        many.algorithms.extend((0..NAMES).map(|number| number.to_string()));
        assert!(within_limits(Answer::Hello(many)).unwrap_err().contains("algorithms, at most 1000 are taken"));
        let mut one = hello;
        one.writes_algorithms.insert("x".repeat(NAME + 1));
        let error = within_limits(Answer::Hello(one)).unwrap_err();
        assert_eq!(error, "hello: a name of writes_algorithms has more than 100 characters: xxxxxxxxxxxxxxxxxxxx…");
        let wrote = Wrote { recipients: vec![String::new(); RECIPIENTS + 1], ..Wrote::default() };
        assert!(within_limits(Answer::Wrote(wrote)).unwrap_err().contains("101 recipients"));
    }

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(shorten(" a\n  b\t"), "a b");
        assert_eq!(shorten_to("äöü", 3), "äöü");
        assert_eq!(shorten_to("äöüß", 3), "äöü…");
    }
}
