//! Membrane of `mrg`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::erasing_op, clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::{CHUNK, NodeProgram, Sums};

/// Conductance and source of a state.
pub(super) enum Currents {}

impl NodeProgram<5, 2, 0, 8> for Currents {
    const FINGERPRINT: u64 = 0xcdedb50f8ad58771;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 2],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(1) * x(1);
        let t1 = x(1) * t0;
        let t2 = t1 * k(0);
        let t3 = x(2) * t2;
        let t4 = x(3) * x(3);
        let t5 = x(3) * t4;
        let t6 = t5.fma::<FUSED>(k(1), t3);
        let t7 = t5 * k(4);
        let t8 = t3.fma::<FUSED>(k(3), t7);
        let t9 = x(4).fma::<FUSED>(k(2), t6);
        let t10 = x(4).fma::<FUSED>(k(5), t8);
        let t11 = t9 + k(6);
        let t12 = t10 + k(7);
        y[0][l] = t11;
        y[1][l] = t12;
    }
}

/// One step at the present voltage: new states, conductance and source.
pub(super) enum Step {}

impl NodeProgram<5, 6, 0, 34> for Step {
    const FINGERPRINT: u64 = 0xc4c48767fa8b10f0;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0) + k(0);
        let t1 = x(0).fma::<FUSED>(R::from_f64(-0.0970873786407767), k(1));
        let t2 = kernel::exprelr::<R, FUSED>(t1);
        let t3 = t2 * k(3);
        let t4 = kernel::select_lt::<R, FUSED>(t0, R::from_f64(-150.0), k(2), t3);
        let t5 = x(0).fma::<FUSED>(R::from_f64(0.1091703056768559), k(4));
        let t6 = kernel::exprelr::<R, FUSED>(t5);
        let t7 = t6 * k(6);
        let t8 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t0, k(5), t7);
        let t9 = x(0).fma::<FUSED>(R::from_f64(0.09090909090909091), k(7));
        let t10 = kernel::exprelr::<R, FUSED>(t9);
        let t11 = t10 * k(9);
        let t12 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t0, k(8), t11);
        let t13 = x(0).fma::<FUSED>(R::from_f64(0.07462686567164178), k(10));
        let t14 = kernel::sigmoid::<R, FUSED>(t13);
        let t15 = t14 * k(12);
        let t16 = kernel::select_lt::<R, FUSED>(t0, R::from_f64(-150.0), k(11), t15);
        let t17 = x(0).fma::<FUSED>(R::from_f64(-0.09803921568627452), k(13));
        let t18 = kernel::exprelr::<R, FUSED>(t17);
        let t19 = t18 * k(15);
        let t20 = kernel::select_lt::<R, FUSED>(t0, R::from_f64(-150.0), k(14), t19);
        let t21 = x(0).fma::<FUSED>(R::from_f64(0.1), k(16));
        let t22 = kernel::exprelr::<R, FUSED>(t21);
        let t23 = t22 * k(18);
        let t24 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t0, k(17), t23);
        let t25 = x(0).fma::<FUSED>(R::from_f64(0.2), k(19));
        let t26 = kernel::sigmoid::<R, FUSED>(t25);
        let t27 = t26 * k(21);
        let t28 = kernel::select_lt::<R, FUSED>(t0, R::from_f64(-150.0), k(20), t27);
        let t29 = x(0) + k(22);
        let t30 = kernel::sigmoid::<R, FUSED>(t29);
        let t31 = t30 * k(24);
        let t32 = kernel::select_lt::<R, FUSED>(t0, R::from_f64(-150.0), k(23), t31);
        let t33 = t4 + t8;
        let t34 = t4 / t33;
        let t35 = t12 + t16;
        let t36 = t12 / t35;
        let t37 = t20 + t24;
        let t38 = t20 / t37;
        let t39 = t28 + t32;
        let t40 = t28 / t39;
        let t41 = t33 * k(25);
        let t42 = x(1) - t34;
        let t43 = kernel::exp::<R, FUSED>(t41);
        let t44 = t42.fma::<FUSED>(t43, t34);
        let t45 = t35 * k(25);
        let t46 = x(2) - t36;
        let t47 = kernel::exp::<R, FUSED>(t45);
        let t48 = t46.fma::<FUSED>(t47, t36);
        let t49 = t37 * k(25);
        let t50 = x(3) - t38;
        let t51 = kernel::exp::<R, FUSED>(t49);
        let t52 = t50.fma::<FUSED>(t51, t38);
        let t53 = t39 * k(25);
        let t54 = x(4) - t40;
        let t55 = kernel::exp::<R, FUSED>(t53);
        let t56 = t54.fma::<FUSED>(t55, t40);
        let t57 = t44 * t44;
        let t58 = t44 * t57;
        let t59 = t58 * k(26);
        let t60 = t48 * t59;
        let t61 = t52 * t52;
        let t62 = t52 * t61;
        let t63 = t62.fma::<FUSED>(k(27), t60);
        let t64 = t62 * k(30);
        let t65 = t60.fma::<FUSED>(k(29), t64);
        let t66 = t56.fma::<FUSED>(k(28), t63);
        let t67 = t56.fma::<FUSED>(k(31), t65);
        let t68 = t66 + k(32);
        let t69 = t67 + k(33);
        y[0][l] = t44;
        y[1][l] = t48;
        y[2][l] = t52;
        y[3][l] = t56;
        y[4][l] = t68;
        y[5][l] = t69;
    }
}

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<16, 5, 0, 32> for Adjoint {
    const FINGERPRINT: u64 = 0x7264857ee21d7a46;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(R::from_f64(0.2), k(21));
        let (t1, t2) = math::sigmoid_value_grad::<R, FUSED>(t0);
        let t3 = t1 * k(22);
        let t4 = x(0) + k(8);
        let t5 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), k(6), t3);
        let t6 = x(0) + k(23);
        let (t7, t8) = math::sigmoid_value_grad::<R, FUSED>(t6);
        let t9 = t7 * k(24);
        let t10 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), k(7), t9);
        let t11 = t5 + t10;
        let t12 = t11 * k(25);
        let t13 = R::from_f64(1.0) / t11;
        let t14 = t5 * t13;
        let t15 = kernel::exp::<R, FUSED>(t12);
        let t16 = x(14).fma::<FUSED>(k(27), x(12));
        let t17 = x(13).fma::<FUSED>(k(30), t16);
        let t18 = t15 * t17;
        let t19 = t17 - t18;
        let t20 = t13 * t19;
        let t21 = x(0).fma::<FUSED>(R::from_f64(-0.09803921568627452), k(17));
        let (t22, t23) = math::exprelr_value_grad::<R, FUSED>(t21);
        let t24 = t22 * k(18);
        let t25 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), k(4), t24);
        let t26 = x(0).fma::<FUSED>(R::from_f64(0.1), k(19));
        let (t27, t28) = math::exprelr_value_grad::<R, FUSED>(t26);
        let t29 = t27 * k(20);
        let t30 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, k(5), t29);
        let t31 = t25 + t30;
        let t32 = t31 * k(25);
        let t33 = R::from_f64(1.0) / t31;
        let t34 = t25 * t33;
        let t35 = kernel::exp::<R, FUSED>(t32);
        let t36 = x(13) * k(31);
        let t37 = x(14).fma::<FUSED>(k(28), t36);
        let t38 = x(7) * x(7);
        let t39 = t38 * t37;
        let t40 = t39.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t41 = t35 * t40;
        let t42 = t40 - t41;
        let t43 = t33 * t42;
        let t44 = x(0).fma::<FUSED>(R::from_f64(0.09090909090909091), k(13));
        let (t45, t46) = math::exprelr_value_grad::<R, FUSED>(t44);
        let t47 = t45 * k(14);
        let t48 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, k(2), t47);
        let t49 = x(0).fma::<FUSED>(R::from_f64(0.07462686567164178), k(15));
        let (t50, t51) = math::sigmoid_value_grad::<R, FUSED>(t49);
        let t52 = t50 * k(16);
        let t53 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), k(3), t52);
        let t54 = t48 + t53;
        let t55 = t54 * k(25);
        let t56 = R::from_f64(1.0) / t54;
        let t57 = t48 * t56;
        let t58 = kernel::exp::<R, FUSED>(t55);
        let t59 = x(5) * x(5);
        let t60 = x(5) * t59;
        let t61 = t60 * k(26);
        let t62 = x(14).fma::<FUSED>(k(29), x(13));
        let t63 = t61.fma::<FUSED>(t62, x(10));
        let t64 = x(6) * t62;
        let t65 = k(26) * t64;
        let t66 = t59 * t65;
        let t67 = t58 * t63;
        let t68 = t66.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t69 = t63 - t67;
        let t70 = t56 * t69;
        let t71 = x(0).fma::<FUSED>(R::from_f64(-0.0970873786407767), k(9));
        let (t72, t73) = math::exprelr_value_grad::<R, FUSED>(t71);
        let t74 = t72 * k(10);
        let t75 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), k(0), t74);
        let t76 = x(0).fma::<FUSED>(R::from_f64(0.1091703056768559), k(11));
        let (t77, t78) = math::exprelr_value_grad::<R, FUSED>(t76);
        let t79 = t77 * k(12);
        let t80 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, k(1), t79);
        let t81 = t75 + t80;
        let t82 = t81 * k(25);
        let t83 = R::from_f64(1.0) / t81;
        let t84 = t75 * t83;
        let t85 = kernel::exp::<R, FUSED>(t82);
        let t86 = t85 * t68;
        let t87 = t68 - t86;
        let t88 = t83 * t87;
        let t89 = x(4) - t14;
        let t90 = t89 * t18;
        let t91 = k(25) * t90;
        let t92 = (-t14).fma::<FUSED>(t20, t91);
        let t93 = t20 + t92;
        let t94 = k(24) * t92;
        let t95 = t94 * t8;
        let t96 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), R::from_f64(0.0), t95);
        let t97 = k(22) * t93;
        let t98 = t97 * t2;
        let t99 = R::from_f64(0.2) * t98;
        let t100 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), R::from_f64(0.0), t99);
        let t101 = t96 + t100;
        let t102 = x(3) - t34;
        let t103 = t102 * t41;
        let t104 = k(25) * t103;
        let t105 = (-t34).fma::<FUSED>(t43, t104);
        let t106 = t43 + t105;
        let t107 = k(20) * t105;
        let t108 = t107 * t28;
        let t109 = R::from_f64(0.1) * t108;
        let t110 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, R::from_f64(0.0), t109);
        let t111 = k(18) * t106;
        let t112 = t111 * t23;
        let t113 = R::from_f64(-0.09803921568627452) * t112;
        let t114 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), R::from_f64(0.0), t113);
        let t115 = t110 + t101;
        let t116 = t114 + t115;
        let t117 = x(2) - t57;
        let t118 = t117 * t67;
        let t119 = k(25) * t118;
        let t120 = (-t57).fma::<FUSED>(t70, t119);
        let t121 = t70 + t120;
        let t122 = k(16) * t120;
        let t123 = t122 * t51;
        let t124 = R::from_f64(0.07462686567164178) * t123;
        let t125 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), R::from_f64(0.0), t124);
        let t126 = k(14) * t121;
        let t127 = t126 * t46;
        let t128 = R::from_f64(0.09090909090909091) * t127;
        let t129 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, R::from_f64(0.0), t128);
        let t130 = t125 + t116;
        let t131 = t129 + t130;
        let t132 = x(1) - t84;
        let t133 = t132 * t86;
        let t134 = k(25) * t133;
        let t135 = (-t84).fma::<FUSED>(t88, t134);
        let t136 = t88 + t135;
        let t137 = k(12) * t135;
        let t138 = t137 * t78;
        let t139 = R::from_f64(0.1091703056768559) * t138;
        let t140 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t4, R::from_f64(0.0), t139);
        let t141 = k(10) * t136;
        let t142 = t141 * t73;
        let t143 = R::from_f64(-0.0970873786407767) * t142;
        let t144 = kernel::select_lt::<R, FUSED>(t4, R::from_f64(-150.0), R::from_f64(0.0), t143);
        let t145 = t140 + t131;
        let t146 = t144 + t145;
        let t147 = x(15) + t146;
        y[0][l] = t147;
        y[1][l] = t86;
        y[2][l] = t67;
        y[3][l] = t41;
        y[4][l] = t18;
    }
}

/// Adjoint of a step, with the cotangents of parameters as sums over nodes.
pub(super) enum SummingAdjoint {}

impl NodeProgram<16, 5, 34, 32> for SummingAdjoint {
    const FINGERPRINT: u64 = 0x6137146efbbe0603;
    const NEGATED: [bool; 34] = [false; 34];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        s: Sums<'_, R, L>,
        l: usize,
    ) {
        s[28 / CHUNK][28 % CHUNK][l] = x(8).fma::<FUSED>(x(13), s[28 / CHUNK][28 % CHUNK][l]);
        s[31 / CHUNK][31 % CHUNK][l] = x(8).fma::<FUSED>(x(14), s[31 / CHUNK][31 % CHUNK][l]);
        let t2 = x(7) * x(7);
        let t3 = x(7) * t2;
        s[30 / CHUNK][30 % CHUNK][l] = x(14).fma::<FUSED>(t3, s[30 / CHUNK][30 % CHUNK][l]);
        s[27 / CHUNK][27 % CHUNK][l] = x(13).fma::<FUSED>(t3, s[27 / CHUNK][27 % CHUNK][l]);
        let t6 = x(5) * x(5);
        let t7 = x(5) * t6;
        let t8 = x(14).fma::<FUSED>(k(29), x(13));
        let t9 = x(6) * t8;
        s[26 / CHUNK][26 % CHUNK][l] = t7.fma::<FUSED>(t9, s[26 / CHUNK][26 % CHUNK][l]);
        let t11 = t7 * k(26);
        let t12 = k(26) * t9;
        let t13 = t6 * t12;
        let t14 = t11.fma::<FUSED>(t8, x(10));
        let t15 = x(6) * t11;
        s[29 / CHUNK][29 % CHUNK][l] = x(14).fma::<FUSED>(t15, s[29 / CHUNK][29 % CHUNK][l]);
        let t17 = t13.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t18 = x(0).fma::<FUSED>(R::from_f64(-0.0970873786407767), k(9));
        let (t19, t20) = math::exprelr_value_grad::<R, FUSED>(t18);
        let t21 = t19 * k(10);
        let t22 = x(0) + k(8);
        let t23 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), k(0), t21);
        let t24 = x(0).fma::<FUSED>(R::from_f64(0.1091703056768559), k(11));
        let (t25, t26) = math::exprelr_value_grad::<R, FUSED>(t24);
        let t27 = t25 * k(12);
        let t28 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, k(1), t27);
        let t29 = t23 + t28;
        let t30 = t29 * k(25);
        let t31 = kernel::exp::<R, FUSED>(t30);
        let t32 = t31 * t17;
        let t33 = t17 - t32;
        let t34 = R::from_f64(1.0) / t29;
        let t35 = t23 * t34;
        let t36 = t34 * t33;
        let t37 = x(1) - t35;
        let t38 = t37 * t32;
        let t39 = k(25) * t38;
        let t40 = (-t35).fma::<FUSED>(t36, t39);
        let t41 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, t40, R::from_f64(0.0));
        s[5 / CHUNK][5 % CHUNK][l] += t41;
        let t42 = t25 * t40;
        let t43 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t42);
        s[6 / CHUNK][6 % CHUNK][l] += t43;
        let t44 = t36 + t40;
        let t45 = k(12) * t40;
        let t46 = t45 * t26;
        let t47 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t46);
        s[4 / CHUNK][4 % CHUNK][l] += t47;
        let t48 = R::from_f64(0.1091703056768559) * t46;
        let t49 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t48);
        let t50 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), t44, R::from_f64(0.0));
        s[2 / CHUNK][2 % CHUNK][l] += t50;
        let t51 = t19 * t44;
        let t52 = k(10) * t44;
        let t53 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t51);
        s[3 / CHUNK][3 % CHUNK][l] += t53;
        let t54 = t52 * t20;
        let t55 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t54);
        s[1 / CHUNK][1 % CHUNK][l] += t55;
        let t56 = R::from_f64(-0.0970873786407767) * t54;
        let t57 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t56);
        let t58 = x(0).fma::<FUSED>(R::from_f64(0.09090909090909091), k(13));
        let (t59, t60) = math::exprelr_value_grad::<R, FUSED>(t58);
        let t61 = t59 * k(14);
        let t62 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, k(2), t61);
        let t63 = x(0).fma::<FUSED>(R::from_f64(0.07462686567164178), k(15));
        let (t64, t65) = math::sigmoid_value_grad::<R, FUSED>(t63);
        let t66 = t64 * k(16);
        let t67 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), k(3), t66);
        let t68 = t62 + t67;
        let t69 = t68 * k(25);
        let t70 = kernel::exp::<R, FUSED>(t69);
        let t71 = t70 * t14;
        let t72 = t14 - t71;
        let t73 = R::from_f64(1.0) / t68;
        let t74 = t62 * t73;
        let t75 = t73 * t72;
        let t76 = x(2) - t74;
        let t77 = t76 * t71;
        let t78 = k(25) * t77;
        let t79 = (-t74).fma::<FUSED>(t75, t78);
        let t80 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), t79, R::from_f64(0.0));
        s[11 / CHUNK][11 % CHUNK][l] += t80;
        let t81 = t75 + t79;
        let t82 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, t81, R::from_f64(0.0));
        s[8 / CHUNK][8 % CHUNK][l] += t82;
        let t83 = t59 * t81;
        let t84 = k(14) * t81;
        let t85 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t83);
        s[9 / CHUNK][9 % CHUNK][l] += t85;
        let t86 = t84 * t60;
        let t87 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t86);
        s[7 / CHUNK][7 % CHUNK][l] += t87;
        let t88 = R::from_f64(0.09090909090909091) * t86;
        let t89 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t88);
        let t90 = t64 * t79;
        let t91 = k(16) * t79;
        let t92 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t90);
        s[12 / CHUNK][12 % CHUNK][l] += t92;
        let t93 = t91 * t65;
        let t94 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t93);
        s[10 / CHUNK][10 % CHUNK][l] += t94;
        let t95 = R::from_f64(0.07462686567164178) * t93;
        let t96 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t95);
        let t97 = x(0).fma::<FUSED>(R::from_f64(0.2), k(21));
        let (t98, t99) = math::sigmoid_value_grad::<R, FUSED>(t97);
        let t100 = t98 * k(22);
        let t101 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), k(6), t100);
        let t102 = x(0) + k(23);
        let (t103, t104) = math::sigmoid_value_grad::<R, FUSED>(t102);
        let t105 = t103 * k(24);
        let t106 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), k(7), t105);
        let t107 = t101 + t106;
        let t108 = t107 * k(25);
        let t109 = kernel::exp::<R, FUSED>(t108);
        let t110 = x(14).fma::<FUSED>(k(27), x(12));
        let t111 = x(13).fma::<FUSED>(k(30), t110);
        let t112 = t109 * t111;
        let t113 = t111 - t112;
        let t114 = R::from_f64(1.0) / t107;
        let t115 = t101 * t114;
        let t116 = t114 * t113;
        let t117 = x(4) - t115;
        let t118 = t117 * t112;
        let t119 = k(25) * t118;
        let t120 = (-t115).fma::<FUSED>(t116, t119);
        let t121 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), t120, R::from_f64(0.0));
        s[23 / CHUNK][23 % CHUNK][l] += t121;
        let t122 = t116 + t120;
        let t123 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), t122, R::from_f64(0.0));
        s[20 / CHUNK][20 % CHUNK][l] += t123;
        let t124 = t98 * t122;
        let t125 = k(22) * t122;
        let t126 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t124);
        s[21 / CHUNK][21 % CHUNK][l] += t126;
        let t127 = t125 * t99;
        let t128 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t127);
        s[19 / CHUNK][19 % CHUNK][l] += t128;
        let t129 = R::from_f64(0.2) * t127;
        let t130 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t129);
        let t131 = t103 * t120;
        let t132 = k(24) * t120;
        let t133 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t131);
        s[24 / CHUNK][24 % CHUNK][l] += t133;
        let t134 = t132 * t104;
        let t135 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t134);
        s[22 / CHUNK][22 % CHUNK][l] += t135;
        let t136 = t135 + t130;
        let t137 = x(0).fma::<FUSED>(R::from_f64(-0.09803921568627452), k(17));
        let (t138, t139) = math::exprelr_value_grad::<R, FUSED>(t137);
        let t140 = t138 * k(18);
        let t141 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), k(4), t140);
        let t142 = x(0).fma::<FUSED>(R::from_f64(0.1), k(19));
        let (t143, t144) = math::exprelr_value_grad::<R, FUSED>(t142);
        let t145 = t143 * k(20);
        let t146 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, k(5), t145);
        let t147 = t141 + t146;
        let t148 = t147 * k(25);
        let t149 = kernel::exp::<R, FUSED>(t148);
        let t150 = x(13) * k(31);
        let t151 = x(14).fma::<FUSED>(k(28), t150);
        let t152 = t2 * t151;
        let t153 = t152.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t154 = t149 * t153;
        let t155 = t153 - t154;
        let t156 = R::from_f64(1.0) / t147;
        let t157 = t141 * t156;
        let t158 = t156 * t155;
        let t159 = x(3) - t157;
        let t160 = t159 * t154;
        let t161 = t147 * t160;
        let t162 = k(25) * t160;
        let t163 = t107.fma::<FUSED>(t118, t161);
        let t164 = t68.fma::<FUSED>(t77, t163);
        let t165 = t29.fma::<FUSED>(t38, t164);
        s[25 / CHUNK][25 % CHUNK][l] += t165;
        let t166 = (-t157).fma::<FUSED>(t158, t162);
        let t167 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, t166, R::from_f64(0.0));
        s[17 / CHUNK][17 % CHUNK][l] += t167;
        let t168 = t143 * t166;
        let t169 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t168);
        s[18 / CHUNK][18 % CHUNK][l] += t169;
        let t170 = t158 + t166;
        let t171 = k(20) * t166;
        let t172 = t171 * t144;
        let t173 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t172);
        s[16 / CHUNK][16 % CHUNK][l] += t173;
        let t174 = R::from_f64(0.1) * t172;
        let t175 = kernel::select_lt::<R, FUSED>(R::from_f64(150.0), t22, R::from_f64(0.0), t174);
        let t176 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), t170, R::from_f64(0.0));
        s[14 / CHUNK][14 % CHUNK][l] += t176;
        let t177 = t138 * t170;
        let t178 = k(18) * t170;
        let t179 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t177);
        s[15 / CHUNK][15 % CHUNK][l] += t179;
        let t180 = t178 * t139;
        let t181 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t180);
        s[13 / CHUNK][13 % CHUNK][l] += t181;
        let t182 = R::from_f64(-0.09803921568627452) * t180;
        let t183 = kernel::select_lt::<R, FUSED>(t22, R::from_f64(-150.0), R::from_f64(0.0), t182);
        let t184 = t175 + t136;
        let t185 = t183 + t184;
        let t186 = t96 + t185;
        let t187 = t89 + t186;
        let t188 = t49 + t187;
        let t189 = t57 + t188;
        let t190 = x(15) + t189;
        s[32 / CHUNK][32 % CHUNK][l] += x(13);
        s[33 / CHUNK][33 % CHUNK][l] += x(14);
        y[0][l] = t190;
        y[1][l] = t32;
        y[2][l] = t71;
        y[3][l] = t154;
        y[4][l] = t112;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<11, 6, 0, 16> for Rest {
    const FINGERPRINT: u64 = 0x5c259ecc059e282b;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = (-x(1)).fma::<FUSED>(x(5), x(6));
        let t1 = x(1) + t0;
        let t2 = (-x(2)).fma::<FUSED>(x(7), x(8));
        let t3 = x(2) + t2;
        let t4 = (-x(3)).fma::<FUSED>(x(9), x(10));
        let t5 = x(3) + t4;
        let t6 = x(0) + k(0);
        let t7 = x(0).fma::<FUSED>(R::from_f64(0.2), k(1));
        let t8 = kernel::sigmoid::<R, FUSED>(t7);
        let t9 = t8 * k(3);
        let t10 = kernel::select_lt::<R, FUSED>(t6, R::from_f64(-150.0), k(2), t9);
        let t11 = x(0) + k(4);
        let t12 = kernel::sigmoid::<R, FUSED>(t11);
        let t13 = t12 * k(6);
        let t14 = kernel::select_lt::<R, FUSED>(t6, R::from_f64(-150.0), k(5), t13);
        let t15 = t10 + t14;
        let t16 = t10 / t15;
        let t17 = t15 * k(7);
        let t18 = x(4) - t16;
        let t19 = kernel::exp::<R, FUSED>(t17);
        let t20 = t18.fma::<FUSED>(t19, t16);
        let t21 = t1 * t1;
        let t22 = t1 * t21;
        let t23 = t22 * k(8);
        let t24 = t3 * t23;
        let t25 = t5 * t5;
        let t26 = t5 * t25;
        let t27 = t26.fma::<FUSED>(k(9), t24);
        let t28 = t26 * k(12);
        let t29 = t24.fma::<FUSED>(k(11), t28);
        let t30 = t20.fma::<FUSED>(k(10), t27);
        let t31 = t20.fma::<FUSED>(k(13), t29);
        let t32 = t30 + k(14);
        let t33 = t31 + k(15);
        y[0][l] = t1;
        y[1][l] = t3;
        y[2][l] = t5;
        y[3][l] = t20;
        y[4][l] = t32;
        y[5][l] = t33;
    }
}
