// Exchange between internodes and the nodes at their ends, in the forward and adjoint pass. The internode right of a
// node belongs to the node's lane. Of its modes the even ones come first.

#if MODES
#define HALF (MODES / 2)

// Adds to `to` the weighted modes at the nodes: their sum to the left one, the even ones minus the odd ones to the
// right one.
DEVICE void give_to_nodes(const Context& x, const REAL* weights, const REAL (&modes)[P][MODES], REAL (&to)[P]) {
  REAL even[P], odd[P];
  EACH_NODE {
    even[p] = ZERO;
    odd[p] = ZERO;
#pragma unroll
    for (u32 m = 0; m < HALF; ++m) {
      even[p] = F(fma)(weights[m], modes[p][m], even[p]);
      odd[p] = F(fma)(weights[HALF + m], modes[p][HALF + m], odd[p]);
    }
  }
  REAL arriving = __shfl_up_sync(ALL_LANES, even[P - 1] - odd[P - 1], 1);
  arriving = x.lane == 0 ? ZERO : arriving;
  EACH_NODE {
    to[p] += arriving;
    to[p] += even[p] + odd[p];
    arriving = even[p] - odd[p];
  }
}

// Input of the even and the odd modes of an internode from its ends; zero where there is no internode.
struct Ends {
  REAL sum, difference;

  DEVICE_MEMBER REAL of_mode(u32 m) const { return m < HALF ? sum : difference; }
};

// Values for the internode right of node `p`; `behind` is the first number of the next lane.
DEVICE Ends take_from_nodes(const Context& x, const REAL (&nodes)[P], REAL behind, u32 p) {
  const REAL right = p + 1 < P ? nodes[p + 1 < P ? p + 1 : 0] : behind;
  const bool there = x.lane * P + p + 1 < x.nodes;
  return {there ? nodes[p] + right : ZERO, there ? nodes[p] - right : ZERO};
}
#endif
