//! Certificate policies along a path (RFC 5280 section 6.1), with the graph of
//! RFC 9618, which holds the same as the tree and cannot grow beyond what the
//! certificates say.

use std::collections::{BTreeMap, BTreeSet};

use waxseal_verdict::Reason;

use super::{Finding, Judged};
use crate::Check;
use crate::certificate::Certificate;

/// anyPolicy (RFC 5280 section 4.2.1.4).
pub const ANY_POLICY: &str = "2.5.29.32.0";

/// What is asked of the policies of a path (RFC 5280 section 6.1.1 c to g). By
/// default nothing is: then they matter only where a certificate demands it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyInputs<'a> {
    /// user-initial-policy-set: one of these has to be valid; any may be if
    /// there is none.
    pub acceptable: &'a [String],
    /// initial-explicit-policy: the path has to be valid for a policy.
    pub explicit: bool,
    /// initial-policy-mapping-inhibit: no policy is mapped.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit: anyPolicy in a certificate means nothing.
    pub inhibit_any: bool,
}

/// The policies for which a path is valid.
#[derive(Debug, Default)]
pub(super) struct Valid {
    pub(super) policies: BTreeSet<String>,
    /// How many links between policies of two certificates led there.
    pub(super) links: usize,
}

/// Adds what is wrong with the policies of a path that ends at an anchor.
pub(super) fn check(path: &[&Certificate], inputs: &PolicyInputs<'_>, judged: &mut Judged) {
    for position in 0..path.len().saturating_sub(1) {
        judged.checked(position, Check::CertificatePolicies);
    }
    if let Err((position, what)) = follow(path, inputs)
        && let Some(certificate) = path.get(position)
        && Check::CertificatePolicies.on()
    {
        judged.findings.push(Finding::new(position, certificate, Reason::PolicyConstraint, what));
    }
}

/// Follows the policies from an anchor, the last of the path, to its first
/// certificate, and tells for which of them the path is valid; or which
/// certificate is in the way, and why.
///
/// The anchor's own policyConstraints and inhibitAnyPolicy hold as those of any
/// authority (RFC 5937 section 3.2); its policies are not looked at.
pub(super) fn follow(path: &[&Certificate], inputs: &PolicyInputs<'_>) -> Result<Valid, (usize, &'static str)> {
    let Some((anchor, below)) = path.split_last() else { return Ok(Valid::default()) };
    let below_anchor = u32::try_from(below.len()).unwrap_or(u32::MAX);
    let start = |inhibited: bool| if inhibited { 0 } else { below_anchor.saturating_add(1) };
    let mut state = State {
        explicit: start(inputs.explicit),
        mapping: start(inputs.inhibit_mapping),
        any: start(inputs.inhibit_any),
        graph: Some(Graph::new()),
    };
    state.constrain(anchor);
    for (position, certificate) in below.iter().enumerate().rev() {
        state.certificate(certificate, position == 0).map_err(|what| (position, what))?;
    }
    state.wrap_up(below.first().copied(), inputs).map_err(|what| (0, what))
}

/// The variables of RFC 5280 section 6.1.2 that speak of policies.
struct State<'a> {
    /// explicit_policy.
    explicit: u32,
    /// policy_mapping.
    mapping: u32,
    /// inhibit_anyPolicy.
    any: u32,
    /// valid_policy_graph; `None` is NULL.
    graph: Option<Graph<'a>>,
}

impl<'a> State<'a> {
    /// One certificate, the next below.
    fn certificate(&mut self, certificate: &'a Certificate, is_last: bool) -> Result<(), &'static str> {
        let said = certificate.policy_extensions();
        if said.is_unreadable() {
            return Err("what it says of certificate policies cannot be read");
        }
        // Section 6.1.3 d and e.
        let any_counts = self.any > 0 || (!is_last && certificate.is_self_issued());
        self.graph = match (self.graph.take(), &said.policies) {
            (Some(graph), Some(policies)) => graph.below(policies, any_counts),
            _ => None,
        };
        // Section 6.1.3 f.
        if self.explicit == 0 && self.graph.is_none() {
            return Err("no certificate policy is valid here, and one has to be");
        }
        if is_last {
            return Ok(());
        }
        // Section 6.1.4 a and b.
        if said.mappings.iter().any(|(issuer, subject)| issuer == ANY_POLICY || subject == ANY_POLICY) {
            return Err("it maps anyPolicy (RFC 5280 section 4.2.1.5)");
        }
        let inhibited = self.mapping == 0;
        self.graph = self.graph.take().and_then(|graph| graph.mapped(&said.mappings, inhibited));
        // Section 6.1.4 h to j.
        if !certificate.is_self_issued() {
            for count in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *count = count.saturating_sub(1);
            }
        }
        self.constrain(certificate);
        Ok(())
    }

    /// Section 6.1.4 i and j.
    fn constrain(&mut self, authority: &Certificate) {
        let said = authority.policy_extensions();
        for (count, skip) in [
            (&mut self.explicit, said.require_explicit),
            (&mut self.mapping, said.inhibit_mapping),
            (&mut self.any, said.inhibit_any),
        ] {
            *count = skip.map_or(*count, |skip| skip.min(*count));
        }
    }

    /// Section 6.1.5 a, b and g.
    fn wrap_up(mut self, last: Option<&Certificate>, inputs: &PolicyInputs<'_>) -> Result<Valid, &'static str> {
        self.explicit = self.explicit.saturating_sub(1);
        if last.is_some_and(|last| last.policy_extensions().require_explicit == Some(0)) {
            self.explicit = 0;
        }
        let valid = self.graph.map(|graph| graph.valid_for(inputs.acceptable)).unwrap_or_default();
        if self.explicit == 0 && valid.policies.is_empty() {
            return Err(
                "the path is valid for none of the certificate policies that are acceptable, and one has to be",
            );
        }
        Ok(valid)
    }
}

/// A node of one depth, beside its valid_policy.
struct Node<'a> {
    /// expected_policy_set.
    expected: BTreeSet<&'a str>,
    /// The valid_policy of its parents, a depth above.
    parents: BTreeSet<&'a str>,
}

/// valid_policy_graph: for each depth the nodes by their valid_policy. At every
/// depth there is one, and each has children down to the last depth.
struct Graph<'a> {
    depths: Vec<BTreeMap<&'a str, Node<'a>>>,
}

impl<'a> Graph<'a> {
    fn new() -> Self {
        let root = Node { expected: BTreeSet::from([ANY_POLICY]), parents: BTreeSet::new() };
        Self { depths: vec![BTreeMap::from([(ANY_POLICY, root)])] }
    }

    /// RFC 5280 section 6.1.3 d: a depth for the policies of one certificate.
    fn below(mut self, policies: &'a [String], any_counts: bool) -> Option<Self> {
        let above = self.depths.last()?;
        let mut expecting: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
        for (policy, node) in above {
            for expected in &node.expected {
                expecting.entry(expected).or_default().insert(policy);
            }
        }
        let mut depth = BTreeMap::new();
        for policy in policies.iter().map(String::as_str).filter(|policy| *policy != ANY_POLICY) {
            let parents = match expecting.get(policy) {
                Some(parents) => parents.clone(),
                None if above.contains_key(ANY_POLICY) => BTreeSet::from([ANY_POLICY]),
                None => continue,
            };
            depth.insert(policy, Node { expected: BTreeSet::from([policy]), parents });
        }
        if any_counts && policies.iter().any(|policy| policy == ANY_POLICY) {
            for (policy, parents) in expecting {
                depth.entry(policy).or_insert_with(|| Node { expected: BTreeSet::from([policy]), parents });
            }
        }
        self.depths.push(depth);
        self.pruned()
    }

    /// RFC 5280 section 6.1.4 b: policies of the issuer's domain become those
    /// of the subject's.
    fn mapped(mut self, mappings: &'a [(String, String)], inhibited: bool) -> Option<Self> {
        let mut by_issuer: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
        for (issuer, subject) in mappings {
            by_issuer.entry(issuer).or_default().insert(subject);
        }
        let depth = self.depths.last_mut()?;
        for (issuer, subjects) in by_issuer {
            if inhibited {
                depth.remove(issuer);
            } else if let Some(node) = depth.get_mut(issuer) {
                node.expected = subjects;
            } else if depth.contains_key(ANY_POLICY) {
                depth.insert(issuer, Node { expected: subjects, parents: BTreeSet::from([ANY_POLICY]) });
            }
        }
        self.pruned()
    }

    /// Without the nodes that lead nowhere; `None` if nothing is left.
    fn pruned(mut self) -> Option<Self> {
        let mut needed: Option<BTreeSet<&str>> = None;
        for depth in self.depths.iter_mut().rev() {
            if let Some(needed) = &needed {
                depth.retain(|policy, _| needed.contains(policy));
            }
            if depth.is_empty() {
                return None;
            }
            needed = Some(depth.values().flat_map(|node| node.parents.iter().copied()).collect());
        }
        Some(self)
    }

    /// RFC 5280 section 6.1.5 g: the policies of the anchor's domain that are
    /// valid for the path, of those that are acceptable; all, if none are said.
    fn valid_for(&self, acceptable: &[String]) -> Valid {
        let links = self.depths.iter().flat_map(BTreeMap::values).map(|node| node.parents.len()).sum();
        // What the anchor's domain calls a policy is where it branches off anyPolicy.
        let branches = self.depths.iter().flatten().filter(|(_, node)| node.parents.contains(ANY_POLICY));
        let branches = branches.map(|(policy, _)| *policy).filter(|policy| *policy != ANY_POLICY);
        // anyPolicy at the end of the path stands for every policy.
        let any = self.depths.last().is_some_and(|last| last.contains_key(ANY_POLICY));
        if acceptable.is_empty() || acceptable.iter().any(|policy| policy == ANY_POLICY) {
            let policies = branches.chain(any.then_some(ANY_POLICY)).map(str::to_owned).collect();
            return Valid { policies, links };
        }
        let branches: BTreeSet<_> = branches.collect();
        let acceptable = acceptable.iter().filter(|policy| any || branches.contains(policy.as_str()));
        Valid { policies: acceptable.cloned().collect(), links }
    }
}
