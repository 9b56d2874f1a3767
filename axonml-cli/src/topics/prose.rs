//! Topics that are texts.

/// The files of a nerve.
pub(super) const NERVE_FOLDERS: &str = "\
A nerve folder (--nerve DIR, or ROOT/NAME with --nerves ROOT and a column `nerve`) holds NumPy
arrays of whole numbers or of half, single or double precision. Bundled examples lie in
examples/nerves.

Required:
  0.npy, 1.npy, ...   one file per contact, without gaps: (fibers, samples), the extracellular
                      potential in mV along each fiber per 1 mA from that contact
  fiber_z.npy         (samples), um, the places of the samples along the nerve, monotonic; from
                      the far end is fine

Optional:
  fibers_xy.npy       (fibers, 2), um, places in the cross-section: for pictures
  target.npy          (fibers), bool or 0 and 1: fibers that are to be activated
  weights.npy         (fibers), share of the nerve's fibers that each stands for; sum 1
  nerve.json          geometry for pictures, in mm: nerve_radius_mm, cuff_inner_radius_mm,
                      contacts (shape, x, y, z, theta_deg, diameter, width, arc_deg), fascicles
                      (x, y, radius, target), axon_fascicle; and units

Other units are named in nerve.json:
  \"field_units\": {\"potential\": \"V\", \"current\": \"A\", \"z\": \"mm\"}
  potential: mV, V, uV; current: mA, A, uA, nA; z: um, mm, cm, m

Gaps of NaN inside a line are interpolated and reported; a line of NaN, a wrong shape, swapped
axes, a length or a potential that looks like another unit, and lines sampled too coarsely for 5 %
of their peak (--accept-coarse) are refused.

Potentials are interpolated to the model's sample points by a C2 cubic spline (--interpolation
linear for straight lines). The middle node of a fiber lies at the middle of the line unless
--offset shifts it. A fiber longer than the line is refused unless --extend point-source continues
it, at most by 10 % of its length, like the potential of a point source.

--contacts 1,0,-1,0,0,0 is the multiple of the waveform at each contact; by default contact 0
delivers it once.
";

/// Exit codes.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0     done
  1     the work failed: a fiber diverged, a row could not be computed (--keep-going), a file
        could not be written
  2     the request is wrong: the message names the flag or the file, row and column, what was
        found, what was expected, and how to fix it; nothing was computed
  129   interrupted by SIGHUP
  130   interrupted by SIGINT (Ctrl-C)
  143   interrupted by SIGTERM

After an interruption what is finished is kept and named; see `axonml help files`. A closed
standard output, as of `axonml models | head`, is no failure: 0.
";

/// Extents and initial states.
pub(super) const FIBERS: &str = "\
Diameters    --diameter 5.7,8.7,10 is a list, --diameter 5.7:14:20 are 20 from 5.7 to 14 um.
             Without it: 5.7, 8.7 and 12.8 in the demonstration nerve, else 10, and 1 for
             unmyelinated models. `axonml models NAME` tells the valid range.

Length       --nodes N, or --length from the first node to the last (20000 or 20mm, rounded to an
             odd number of nodes, so that one lies in the middle). Without them: 53 nodes near
             point electrodes; in a nerve, per fiber, the shortest odd number from 53 on at whose
             ends the field's drive is below 10 % of its largest value inside, at most the line
             less two internodes; for unmyelinated models the length that the model declares.
             --delta-z is the length of a compartment of an unmyelinated fiber; of a myelinated
             one it is the spacing of nodes, which is compared with the model's.

Ends         --ends active gives the first and the last node the membrane of all others, with
             nothing beyond. --ends passive is what PyFibers has by default: both are cut off from
             the fiber and stay at their start, so that N nodes act as N - 2, and nothing can be
             injected or detected there. Of unmyelinated models with implicit steps, and of
             sweeney; other models refuse it.

Duration     --tstop; without it 5 ms, or longer where an action potential needs longer to reach
             the detection nodes.

Start        --start published begins in the state that the model's publication gives. --start
             steady-state, and --warmup MS, simulate that long before t = 0 without stimulus (200
             ms unless said; implicit models in steps of 5 ms). Older names are accepted: declared
             for published, settled for steady-state.

Parameters   --set conductance.gna=2.5 sets a parameter on top of the weights; `axonml models
             NAME` lists names, values and units. --weights takes bundled weights by name, a
             .safetensors file, or `published` for the constants that the model itself declares.
";

/// Fields and injected currents.
pub(super) const FIELDS: &str = "\
One of --point, --nerve and --basis; `axonml threshold` without any runs the bundled demonstration
nerve.

--point X,Y,Z[,FACTOR]   a point electrode, um; the fiber lies along z, its middle node at the
                         origin. FACTOR multiplies the waveform there [default: 1]. Repeat it for
                         several electrodes.
--resistivity RHO        of the medium around point electrodes, ohm-cm; RT,RL across and along the
                         fiber [default: 500]

--nerve DIR              the field of a cuff: see `axonml help nerve-folders`

--basis FILE.npy         potentials in mV per unit amplitude at the model's sample points, which
                         `axonml models NAME --diameter UM` lists: (fibers, samples), or (fibers,
                         timesteps, samples) for a field in space and time, which needs no
                         --pulse. One diameter for all rows, one for each, or one row for all.

--inject KEY=VALUE,...   a current pulse into a node; not scaled by the amplitude under study
                         (repeatable):
                           node    from 0; negative from the end [default: 0]
                           amp     nA; positive depolarizes [default: 2]
                           pw      ms [default: 0.1]
                           delay   ms [default: 1]
";

/// Searches.
pub(super) const SEARCH: &str = "\
An action potential counts once it propagates: once the membrane potential of a detection node
(--detect-nodes, or --detect-at as fractions of the length) crosses --detect-threshold upward
after --detect-after. Any of the nodes is enough; negative numbers count from the end: -5 of 53 is
node 48. Nodes that cross only because the stimulus polarizes them are told apart by a passive
twin of the fiber: status artifact.

The amplitudes that are tried lie on a grid that does not depend on the fiber: --first-amplitude
(or the largest 0.001 mA x 2^-j that is not above a thousandth of what brings the passive fiber to
the level), doubled until the fiber fires or --max-amplitude is reached; then the last step is
halved until the bracket is --resolution wide relative to its upper end. Lower amplitudes are
tried where the first fires, or where action potentials fail to propagate. Amplitudes are
positive; the sign is the pulse's.

A trial ends early where nothing acts on the fiber any more and it is back near its start;
--no-early-end runs all to --tstop.

Thresholds depend on --dt by its first power: at 0.005 ms they are 0.4 to 3 % above the limit, most
for short pulses. threshold --extrapolate searches at half the step, too, and reports 2 x that one
less the one at --dt: threshold_extrapolated, with a bracket no wider than --resolution, for which
both are searched four times finer. The threshold at --dt stays in threshold and error_pct. Smooth
pulses begin and end at a step: let their delay and width be multiples of --dt. There is no
extrapolation where the two searches end differently; half_dt_status tells. Surrogates are refused:
their weights stand for the exact fiber at one step.

The first action potential may begin at an end of the simulated fiber, within an internode of it
(unmyelinated: one length constant). --end-excitation report gives such thresholds the status
end_excitation, accept makes them ok, error makes the exit code 1.
";

/// Outputs and interruptions.
pub(super) const FILES: &str = "\
Results are printed as a table; --format json|csv prints a machine form; -o FILE writes a file and
may be repeated:
  .csv    one line a row, with a sidecar FILE.csv.json that holds the request and the summary; of
          `axonml run` the spikes
  .json   one object: request, results, summary
  .npz    of `axonml run` the recording: t_ms, v_mV (time, fiber, node), one array per recorded
          state (--record m,h), z_um, diameter_um, fiber, node; of other commands one array a
          column; and the request

Pictures: --plot FILE.svg or FILE.png. Thresholds are drawn beside their references where there are
any, in the cross-section of their nerve where it is known, else over the first setting that
varies; --x COLUMN chooses a column of the rows instead. Runs of up to four fibers show all nodes,
of more each fiber as a row. --size 85x60 is the size in mm, --dpi the resolution of a .png.

Files are replaced all or nothing. Inputs are never overwritten. What does not fit on the disk or
into memory (--max-memory) is refused before the work begins.

Interruptions of `axonml threshold`: with -o, each finished row is kept at once in FILE.partial,
beside the first file that -o names, which even SIGKILL leaves. The same command goes on where it
ended and writes the same files as an unbroken run; then FILE.partial is removed. Another request
is refused as long as it is there. Without -o, SIGINT, SIGTERM and SIGHUP print the finished rows.

Interruptions of `axonml run` and `axonml evaluate`: what is finished is written to
FILE.partial.EXTENSION; the same command begins anew. Datasets and trainings go on where they
ended: finished shards, and the last checkpoint, are kept.

The same inputs, seed, backend, precision and instruction set give the same bytes, whatever the
number of threads; only fields named `seconds` differ.
";

/// Evaluation.
pub(super) const TRACES: &str = "\
References of `axonml evaluate`: the table's column threshold_mA, or the thresholds of --reference
NAME, computed first. The model named by --model stands in for the table's: node spacings and
lengths of the table are then not its own and not checked.

Unless --thresholds-only is given, both models also run at --at times their own thresholds:
arrival of the action potential at the detection nodes, first crossings of all nodes (rms),
voltages (rms over nodes and time). Rows without a threshold are counted by reason, not averaged.

Traces (--traces FILE.npz), an archive:
  v                     (times, nodes), mV
  t_ms                  (times)
  w_eff                 (times - 1), the waveform, each value during one step
  ve_sections_per_mA    (samples), the field along the fiber, mV per mA
  sec_z_um              (samples), its places, um; the middle node at 0
  amp_mA, diameter_um, dt_ms
  iclamp_node_amp_nA_delay_ms_dur_ms   optional: (count, 4)
";

/// Training sets.
pub(super) const RECIPES: &str = "\
A recipe is the distribution that a training set is drawn from. `axonml dataset generate
--print-recipe` prints the one that its flags mean, to be edited and given back with --recipe
FILE.toml; flags take precedence over it. It holds what the flags say and more, for instance other
pulses:

  [[pulses]]
  shape = \"biphasic\"                       any pulse of `axonml help pulses`, or noise (keys pw,
                                             hold)
  amplitude_ma = { low = 0.01, high = 0.5, spacing = \"log\" }
  pw = { low = 0.05, high = 0.5 }
  gap = 0.05
  delay_ms = { low = 0, high = 1 }

The exact fiber is `model`: a bundled one by name, or a fiber of one's own by its file (model =
\"mine.toml\") or by the keys of that file in a table [model]. Relative nerve folders and fiber files
lie beside the recipe. A set keeps the fiber that it was made with; another one is refused.

All contacts of a nerve deliver a pulse. Ranges are low:high, low:high:log, or one number.

The size of a set is announced before it is made. Interrupted in any way, the same command goes on
where it ended, to the same bytes: finished shards are kept.
";
