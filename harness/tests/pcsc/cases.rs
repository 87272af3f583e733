//! The cases of the corpus with their keys on a card in a reader of PC/SC.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use waxseal_card::host::Reader;
use waxseal_card::host::pcsc::{self, PcscReader};
use waxseal_card::{Card, Lost, VirtualCard};
use waxseal_model::Corpus;
use zeroize::Zeroizing;

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::Desk;
use crate::support::card_cases::{self, Place, Question};

pub(crate) fn jobs() -> Vec<Job> {
    let needs = [Confinement, Pcscd, OpenSc];
    let job = |name, job| Job::new(name, &needs, move || all(job));
    vec![job("cases signed", card_cases::Job::Sign), job("cases opened", card_cases::Job::Open)]
}

fn all(job: card_cases::Job) {
    let corpus = Corpus::embedded().unwrap();
    // Two: some mail has two signers, each with a card.
    let mut desk = Desk::empty(&[]);
    let cards = [(); 2].map(|()| Exchanged(Arc::new(Mutex::new(VirtualCard::new(Vec::new())))));
    cards.iter().for_each(|card| desk.insert(Box::new(card.clone())));
    let readers = pcsc::list().unwrap().into_iter().filter(|listed| listed.atr.is_some());
    let place = Readers { readers: readers.map(|listed| listed.name).zip(cards).collect(), next: Cell::new(0) };
    let mut wrong = Vec::new();
    for question in Question::all(&corpus).into_iter().filter(|question| question.job == job) {
        if let Err(error) = question.ask(&corpus, &place) {
            wrong.push(format!("{}: {error}", question.name()));
        }
    }
    assert!(wrong.is_empty(), "{} of them: {wrong:#?}", wrong.len());
}

/// A card that becomes another one, and stays in the reader: pcscd needs a
/// second to see that a card is gone and another one there.
#[derive(Debug, Clone)]
struct Exchanged(Arc<Mutex<VirtualCard>>);

impl Card for Exchanged {
    fn atr(&self) -> Vec<u8> {
        self.0.lock().unwrap().atr()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        self.0.lock().unwrap().reset()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        self.0.lock().unwrap().transmit(command)
    }
}

/// Readers that are used in turn.
#[derive(Debug)]
struct Readers {
    readers: Vec<(String, Exchanged)>,
    next: Cell<usize>,
}

impl Place for Readers {
    fn insert(&self, card: VirtualCard) -> Box<dyn Reader> {
        let number = self.next.get();
        self.next.set(number + 1);
        let (name, exchanged) = &self.readers[number % self.readers.len()];
        *exchanged.0.lock().unwrap() = card;
        Box::new(PcscReader::connect(name).unwrap())
    }
}
