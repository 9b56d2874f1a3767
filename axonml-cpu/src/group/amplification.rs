//! How far explicit steps in a row have amplified differences between neighboring nodes: see
//! [`ExplicitCable::amplification`](axonml_autodiff::cable::ExplicitCable::amplification).

/// The amplification by the last steps; kept only while steps of any lane amplify, which few do.
#[derive(Default)]
pub(super) struct Amplification {
    /// State that the last of these steps leads to.
    state: usize,
    /// Amplification at each node, `[node][lane]`.
    by_node: Vec<f64>,
}

impl Amplification {
    /// Amplification by the steps before the one to `state`, to be multiplied by that of this step.
    pub(super) fn before(&mut self, state: usize, len: usize) -> &mut [f64] {
        if self.state + 1 != state || self.by_node.is_empty() {
            self.by_node.clear();
            self.by_node.resize(len, 1.0);
        }
        self.state = state;
        &mut self.by_node
    }
}
