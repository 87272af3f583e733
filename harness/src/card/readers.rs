//! Which readers there are: the models of the corpus, each with its card in it
//! and in this process, and the readers of PC/SC.

use waxseal_card::Card;
use waxseal_card::faults::{FaultyCard, Script};
use waxseal_card::host::{InProcess, Reader};
use waxseal_card::models::Model;
use waxseal_model::Corpus;

use crate::exit::Failed;

/// What the names of readers in this process begin with.
pub const PREFIX: &str = "virtual:";

/// A reader, and whether there is a card in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderState {
    /// Its name, as `--card` takes it.
    pub name: String,
    /// What the card in it is, as far as that is known without asking it.
    pub card: Option<String>,
}

/// Every reader: those of PC/SC first, if this build has PC/SC and the machine
/// its service.
pub fn readers() -> Vec<ReaderState> {
    let virtual_ones = Model::names().filter_map(|name| {
        let card = Model::named(name).ok()?.title;
        Some(ReaderState { name: format!("{PREFIX}{name}"), card: Some(card) })
    });
    pcsc::readers().into_iter().chain(virtual_ones).collect()
}

/// A reader with a card in it: `virtual:MODEL`, `virtual:MODEL+FAULT` for one
/// to which a script of faults happens, or a part of the name of a
/// reader of PC/SC; without a name the only reader of PC/SC with a card.
///
/// # Errors
/// There is no such reader, more than one fits, there is no card in it, or this
/// build has no PC/SC.
pub fn open_reader(name: &str) -> Result<Box<dyn Reader>, Failed> {
    let Some(model) = name.strip_prefix(PREFIX) else { return pcsc::open(name) };
    let corpus = Corpus::embedded().map_err(Failed::fault)?;
    Ok(Box::new(InProcess::new(name, virtual_card(&corpus, model)?).map_err(Failed::usage)?))
}

/// The card of a model, with keys of the corpus: `MODEL`, `MODEL+FAULT` for one
/// to which a script of faults happens, or `MODEL+FAULT@COMMAND` for those of
/// its faults that happen at one command.
///
/// # Errors
/// There is no such model or script, or nothing in it is for that command.
pub fn virtual_card(corpus: &Corpus, name: &str) -> Result<Box<dyn Card>, Failed> {
    let (model, fault) = name.split_once('+').map_or((name, None), |(model, fault)| (model, Some(fault)));
    let model = Model::named(model).map_err(Failed::usage)?;
    let card = waxseal_forge::card(corpus.pki(), &model).map_err(Failed::fault)?;
    let Some(fault) = fault else { return Ok(Box::new(card)) };
    let (fault, command) = fault.split_once('@').map_or((fault, None), |(fault, command)| (fault, Some(command)));
    let mut script = Script::named(fault).map_err(Failed::usage)?;
    if let Some(command) = command {
        script.faults.retain(|fault| fault.at.command.as_deref() == Some(command));
        if script.faults.is_empty() {
            return Err(Failed::usage(format!("the script {fault} has no fault at the command {command:?}")));
        }
    }
    Ok(Box::new(FaultyCard::new(card, script)))
}

/// What a build without PC/SC says.
#[cfg(not(feature = "pcsc"))]
mod pcsc {
    use super::{Failed, Reader, ReaderState};

    pub(super) fn readers() -> Vec<ReaderState> {
        Vec::new()
    }

    pub(super) fn open(_: &str) -> Result<Box<dyn Reader>, Failed> {
        Err(Failed::usage(
            "this build has no PC/SC: build it with `--features pcsc`, for which libpcsclite must be there \
             (Debian: libpcsclite-dev); or use a card in this process, --card virtual:MODEL, see `waxseal card list`",
        ))
    }
}

#[cfg(feature = "pcsc")]
mod pcsc {
    use waxseal_card::host::pcsc::{self, Listed, PcscReader};

    use super::{Failed, Reader, ReaderState};

    /// None where there is no service: that is no fault of a machine.
    pub(super) fn readers() -> Vec<ReaderState> {
        let card = |listed: &Listed| listed.atr.as_ref().map(|atr| format!("a card, ATR {}", hexadecimal(atr)));
        let state = |listed: Listed| ReaderState { card: card(&listed), name: listed.name };
        pcsc::list().unwrap_or_default().into_iter().map(state).collect()
    }

    pub(super) fn open(wanted: &str) -> Result<Box<dyn Reader>, Failed> {
        let all = pcsc::list().map_err(Failed::usage)?;
        let is_whole = all.iter().any(|listed| listed.name == wanted);
        let fits = |listed: &&Listed| if is_whole { listed.name == wanted } else { listed.name.contains(wanted) };
        // Without a card it is meant only if it is called by its whole name: to hear that there is none.
        let mut fitting = all.iter().filter(fits).filter(|listed| is_whole || listed.atr.is_some());
        let names = || all.iter().map(|listed| format!("{:?}", listed.name)).collect::<Vec<_>>().join(", ");
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(Box::new(PcscReader::connect(&one.name).map_err(Failed::at(&one.name))?)),
            (Some(_), Some(_)) => {
                Err(Failed::usage(format!("--card {wanted:?} fits several readers; there are {}", names())))
            }
            (None, _) if all.is_empty() => Err(Failed::usage("PC/SC has no reader; see `waxseal card list`")),
            (None, _) => {
                Err(Failed::usage(format!("--card {wanted:?} fits no reader with a card; there are {}", names())))
            }
        }
    }

    fn hexadecimal(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02X}")).collect()
    }
}
