TITLE Nodal membrane of the McIntyre-Richardson-Grill fiber

COMMENT
Fast and persistent sodium, slow potassium and leak of a mammalian node of Ranvier, by the equations in
C. C. McIntyre, A. G. Richardson and W. M. Grill, "Modeling the excitability of mammalian nerve fibers: influence of
afterpotentials on the recovery cycle", J. Neurophysiol. 87 (2002) 995-1006. Rates are held constant beyond -150 and
150 mV, where the published implementation holds them.
ENDCOMMENT

NEURON {
    SUFFIX mrgnode
    NONSPECIFIC_CURRENT i
    RANGE gna, gnap, gks, gl, ena, ek
    THREADSAFE
}

UNITS {
    (mA) = (milliamp)
    (mV) = (millivolt)
    (S) = (siemens)
}

PARAMETER {
    gna = 3 (S/cm2)
    gnap = 0.01 (S/cm2)
    gks = 0.08 (S/cm2)
    gl = 0.007 (S/cm2)
    ena = 50 (mV)
    ek = -90 (mV)
}

ASSIGNED {
    v (mV)
    celsius (degC)
    i (mA/cm2)
    q_m
    q_h
    q_s
    inf[4]
    tau[4] (ms)
}

STATE { m h p s }

INITIAL {
    q_m = 2.2^((celsius - 20) / 10)
    q_h = 2.9^((celsius - 20) / 10)
    q_s = 3^((celsius - 36) / 10)
    rates(v)
    m = inf[0]
    h = inf[1]
    p = inf[2]
    s = inf[3]
}

BREAKPOINT {
    SOLVE gates METHOD cnexp
    i = (gna * m * m * m * h + gnap * p * p * p) * (v - ena) + (gks * s + gl) * (v - ek)
}

DERIVATIVE gates {
    rates(v)
    m' = (inf[0] - m) / tau[0]
    h' = (inf[1] - h) / tau[1]
    p' = (inf[2] - p) / tau[2]
    s' = (inf[3] - s) / tau[3]
}

: y / (exp(y / k) - 1), also where y is 0.
FUNCTION linear(y (mV), k (mV)) (mV) {
    if (fabs(y / k) < 1e-6) {
        linear = k - y / 2
    } else {
        linear = y / (exp(y / k) - 1)
    }
}

PROCEDURE set(gate, alpha (/ms), beta (/ms), q) {
    inf[gate] = alpha / (alpha + beta)
    tau[gate] = 1 / (q * (alpha + beta))
}

PROCEDURE rates(v (mV)) {
    LOCAL a_m, b_m, a_h, b_h, a_p, b_p, a_s, b_s
    a_m = 1.86 * linear(-(v + 21.4), 10.3)
    b_m = 0.086 * linear(v + 25.7, 9.16)
    a_h = 0.062 * linear(v + 114, 11)
    b_h = 2.3 / (1 + exp(-(v + 31.8) / 13.4))
    a_p = 0.01 * linear(-(v + 27), 10.2)
    b_p = 0.00025 * linear(v + 34, 10)
    a_s = 0.3 / (1 + exp(-(v + 53) / 5))
    b_s = 0.03 / (1 + exp(-(v + 90)))
    if (v < -150) {
        a_m = 0.15733
        a_p = 0.00086725
        b_h = 0.0014054
        a_s = 3.3484e-05
        b_s = 3.3484e-06
    }
    if (v > 150) {
        b_m = 0.0057268
        a_h = 0.0032594
        b_p = 1.5855e-05
    }
    set(0, a_m, b_m, q_m)
    set(1, a_h, b_h, q_h)
    set(2, a_p, b_p, q_m)
    set(3, a_s, b_s, q_s)
}
