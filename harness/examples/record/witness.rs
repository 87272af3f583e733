//! Programs that are asked what they say of a mail that another one wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use waxseal::shim::protocol::{Answer, OpenArguments, Request};
use waxseal::sut::child::{ShimLimits, ShimProcess};
use waxseal_model::Witness;
use waxseal_verdict::Hello;

use crate::order::Order;
use crate::{Result, shipped};

/// Who is asked, the first that takes out a content decides what it is.
const WITNESSES: &[&str] = &["openssl", "bouncycastle", "gpgsm", "nss", "gmssl"];

pub(crate) struct Witnesses<'a> {
    waxseal: &'a Path,
    writer: &'a str,
    running: BTreeMap<&'static str, Option<(Hello, ShimProcess)>>,
}

/// What they said.
#[derive(Default)]
pub(crate) struct Found {
    /// The innermost entity; all who took one out took out the same.
    pub(crate) content: Option<Vec<u8>>,
    /// Who accepted the mail.
    pub(crate) witnesses: Vec<Witness>,
}

impl<'a> Witnesses<'a> {
    pub(crate) const fn new(waxseal: &'a Path, writer: &'a str) -> Self {
        Self { waxseal, writer, running: BTreeMap::new() }
    }

    /// Asks everybody who says that they know these algorithms.
    ///
    /// Two that take out different contents are an error: a person has to look.
    pub(crate) fn ask(
        &mut self,
        order: &Order<'_>,
        asked: &OpenArguments,
        algorithms: &BTreeSet<String>,
    ) -> Result<Found> {
        let mut found = Found::default();
        for name in WITNESSES.iter().filter(|name| **name != self.writer) {
            let waxseal = self.waxseal;
            let running = self.running.entry(name).or_insert_with(|| start(waxseal, name));
            let Some((hello, shim)) = running else { continue };
            if !algorithms.iter().all(|name| hello.algorithms.contains(name)) {
                continue;
            }
            let out = format!("content-{name}");
            let asked = OpenArguments { out: out.clone(), ..asked.clone() };
            let Ok(answer) = shim.ask(&Request::open(shim.next_id(), &asked)?) else {
                // It ended over this mail: a new process is asked the next one.
                self.running.remove(name);
                continue;
            };
            let Answer::Verdict(verdict, _) = answer else { continue };
            if verdict.has_bad() || verdict.layers.is_empty() {
                continue;
            }
            if let Ok(content) = std::fs::read(order.path(&out)) {
                match &found.content {
                    Some(other) if *other != content => {
                        return Err(format!("{}: {name} takes out another content", order.mail.name).into());
                    }
                    _ => found.content = Some(content),
                }
            }
            found.witnesses.push(Witness {
                implementation: (*name).to_owned(),
                version: hello.version.clone(),
                given: waxseal_model::Given::Message,
            });
        }
        Ok(found)
    }
}

fn start(waxseal: &Path, name: &str) -> Option<(Hello, ShimProcess)> {
    let mut sut = shipped(waxseal, name);
    sut.admit(ShimLimits::default());
    let hello = sut.admission.ok()?;
    Some((hello, ShimProcess::start(&sut.command, ShimLimits::default()).ok()?))
}
