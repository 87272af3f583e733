//! A covering set: few scenarios, and yet every value for every reader.

use std::collections::BTreeSet;

use waxseal_model::{Feature, Scenario};
use waxseal_verdict::Hello;

use super::reads;

/// Scenarios of which each reader can read one for every value that it can read
/// at all. Greedy: the one that adds most comes first, the earlier among equals,
/// so that the same SUTs always give the same set.
pub(super) fn cover<'a>(scenarios: &[Scenario<'a>], readers: &[&Hello]) -> Vec<Scenario<'a>> {
    let adds = scenarios.iter().map(|scenario| {
        let able = readers.iter().enumerate().filter(|(_, hello)| reads(hello, scenario));
        able.flat_map(|(reader, _)| scenario.values().into_iter().map(move |(feature, value)| (reader, feature, value)))
            .collect::<BTreeSet<(usize, Feature, &str)>>()
    });
    greedy(adds.collect()).into_iter().map(|index| scenarios[index]).collect()
}

/// Few of these sets that together have everything that is in any of them.
pub(super) fn greedy<T: Ord + Clone>(mut adds: Vec<BTreeSet<T>>) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    loop {
        let best = adds.iter().enumerate().rev().max_by_key(|(_, adds)| adds.len());
        let Some((best, added)) = best.filter(|(_, adds)| !adds.is_empty()) else { break };
        let added = added.clone();
        chosen.insert(best);
        adds.iter_mut().for_each(|adds| adds.retain(|target| !added.contains(target)));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::engine::Engine;
    use crate::shim::serve::Shim;
    use waxseal_model::Corpus;

    #[test]
    fn every_reader_gets_every_value_that_it_can_read() {
        let corpus = Corpus::embedded().unwrap();
        let all = corpus.matrix().scenarios();
        let engine = Engine::default().hello().unwrap();
        let mut narrow = engine.clone();
        narrow.algorithms.retain(|name| !["ecdsa", "ec", "rsassa-pss", "aes-256-gcm", "sm2"].contains(&name.as_str()));
        let readers = [&engine, &narrow];
        let chosen = cover(&all, &readers);
        assert!(chosen.len() < all.len() / 8, "{} of {}", chosen.len(), all.len());
        for reader in readers {
            let values = |scenarios: &[Scenario<'_>]| -> BTreeSet<(Feature, String)> {
                let read = scenarios.iter().filter(|scenario| reads(reader, scenario));
                read.flat_map(|one| {
                    one.values().into_iter().map(|(feature, name)| (feature, name.to_owned())).collect::<Vec<_>>()
                })
                .collect()
            };
            assert_eq!(values(&chosen), values(&all));
        }
        assert_eq!(cover(&all, &readers), chosen);
        assert!(cover(&all, &[]).is_empty());
    }
}
