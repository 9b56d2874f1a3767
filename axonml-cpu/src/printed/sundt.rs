//! Membrane of `sundt`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::erasing_op, clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::{CHUNK, NodeProgram, Sums};

/// Conductance and source of a state.
pub(super) enum Currents {}

impl NodeProgram<5, 2, 0, 6> for Currents {
    const FINGERPRINT: u64 = 0xa96974538cd608ad;
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
        let t6 = t5 * k(1);
        let t7 = x(4) * t6;
        let t8 = t3 + t7;
        let t9 = t7 * k(3);
        let t10 = t3.fma::<FUSED>(k(2), t9);
        let t11 = t8 + k(4);
        let t12 = t10 + k(5);
        y[0][l] = t11;
        y[1][l] = t12;
    }
}

/// One step at the present voltage: new states, conductance and source.
pub(super) enum Step {}

impl NodeProgram<5, 6, 0, 28> for Step {
    const FINGERPRINT: u64 = 0x2b7575159ec57689;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(R::from_f64(-0.25), k(1));
        let t1 = kernel::exprelr::<R, FUSED>(t0);
        let t2 = t1 * k(2);
        let t3 = x(0).fma::<FUSED>(R::from_f64(0.2), k(3));
        let t4 = kernel::exprelr::<R, FUSED>(t3);
        let t5 = x(0).fma::<FUSED>(R::from_f64(-0.05555555555555555), k(5));
        let t6 = kernel::min::<R, FUSED>(t5, R::from_f64(60.0));
        let t7 = kernel::exp::<R, FUSED>(t6);
        let t8 = t7 * k(6);
        let t9 = x(0).fma::<FUSED>(R::from_f64(0.2), k(7));
        let t10 = kernel::sigmoid::<R, FUSED>(t9);
        let t11 = x(0).fma::<FUSED>(k(9), k(10));
        let t12 = x(0).fma::<FUSED>(k(11), k(12));
        let t13 = kernel::sigmoid::<R, FUSED>(t12);
        let t14 = x(0).fma::<FUSED>(k(13), k(14));
        let t15 = kernel::sigmoid::<R, FUSED>(t14);
        let t16 = x(0).fma::<FUSED>(k(15), k(16));
        let t17 = kernel::exp::<R, FUSED>(t16);
        let t18 = x(0).fma::<FUSED>(k(17), k(18));
        let t19 = kernel::exp::<R, FUSED>(t18);
        let t20 = t17 + t19;
        let t21 = t20 * k(19);
        let t22 = R::from_f64(1.0) / t21;
        let t23 = kernel::sigmoid::<R, FUSED>(t11);
        let t24 = t23 * k(20);
        let t25 = t4.fma::<FUSED>(k(4), t2);
        let t26 = t2 / t25;
        let t27 = t10.fma::<FUSED>(k(8), t8);
        let t28 = t8 / t27;
        let t29 = t25 * k(21);
        let t30 = x(1) - t26;
        let t31 = kernel::exp::<R, FUSED>(t29);
        let t32 = t30.fma::<FUSED>(t31, t26);
        let t33 = t27 * k(21);
        let t34 = x(2) - t28;
        let t35 = kernel::exp::<R, FUSED>(t33);
        let t36 = t34.fma::<FUSED>(t35, t28);
        let t37 = k(0) / t22;
        let t38 = -t37;
        let t39 = x(3) - t13;
        let t40 = kernel::exp::<R, FUSED>(t38);
        let t41 = t39.fma::<FUSED>(t40, t13);
        let t42 = k(0) / t24;
        let t43 = -t42;
        let t44 = x(4) - t15;
        let t45 = kernel::exp::<R, FUSED>(t43);
        let t46 = t44.fma::<FUSED>(t45, t15);
        let t47 = t32 * t32;
        let t48 = t32 * t47;
        let t49 = t48 * k(22);
        let t50 = t36 * t49;
        let t51 = t41 * t41;
        let t52 = t41 * t51;
        let t53 = t52 * k(23);
        let t54 = t46 * t53;
        let t55 = t50 + t54;
        let t56 = t54 * k(25);
        let t57 = t50.fma::<FUSED>(k(24), t56);
        let t58 = t55 + k(26);
        let t59 = t57 + k(27);
        y[0][l] = t32;
        y[1][l] = t36;
        y[2][l] = t41;
        y[3][l] = t46;
        y[4][l] = t58;
        y[5][l] = t59;
    }
}

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<16, 5, 0, 28> for Adjoint {
    const FINGERPRINT: u64 = 0x891ea48fb9d5bbc8;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(k(8), k(9));
        let (t1, t2) = math::sigmoid_value_grad::<R, FUSED>(t0);
        let t3 = t1 * k(19);
        let t4 = R::from_f64(1.0) / t3;
        let t5 = k(22) * t4;
        let t6 = kernel::exp::<R, FUSED>(t5);
        let t7 = x(7) * x(7);
        let t8 = x(7) * t7;
        let t9 = t8 * k(24);
        let t10 = x(14).fma::<FUSED>(k(25), x(13));
        let t11 = t9.fma::<FUSED>(t10, x(12));
        let t12 = x(8) * t10;
        let t13 = k(24) * t12;
        let t14 = t7 * t13;
        let t15 = t6 * t11;
        let t16 = t14.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t17 = t11 - t15;
        let t18 = x(0).fma::<FUSED>(k(14), k(15));
        let t19 = kernel::exp::<R, FUSED>(t18);
        let t20 = x(0).fma::<FUSED>(k(16), k(17));
        let t21 = kernel::exp::<R, FUSED>(t20);
        let t22 = t19 + t21;
        let t23 = t22 * k(18);
        let t24 = R::from_f64(1.0) / t23;
        let t25 = R::from_f64(1.0) / t24;
        let t26 = t25 * k(22);
        let t27 = kernel::exp::<R, FUSED>(t26);
        let t28 = t27 * t16;
        let t29 = t16 - t28;
        let t30 = x(0).fma::<FUSED>(R::from_f64(-0.25), k(0));
        let (t31, t32) = math::exprelr_value_grad::<R, FUSED>(t30);
        let t33 = t31 * k(1);
        let t34 = x(0).fma::<FUSED>(R::from_f64(0.2), k(2));
        let (t35, t36) = math::exprelr_value_grad::<R, FUSED>(t34);
        let t37 = t35.fma::<FUSED>(k(3), t33);
        let t38 = t37 * k(20);
        let t39 = R::from_f64(1.0) / t37;
        let t40 = t33 * t39;
        let t41 = kernel::exp::<R, FUSED>(t38);
        let t42 = x(14).fma::<FUSED>(k(26), x(13));
        let t43 = x(6) * t42;
        let t44 = k(23) * t43;
        let t45 = x(5) * x(5);
        let t46 = t45 * t44;
        let t47 = x(5) * t45;
        let t48 = t47 * k(23);
        let t49 = t48.fma::<FUSED>(t42, x(10));
        let t50 = t46.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t51 = t41 * t50;
        let t52 = t50 - t51;
        let t53 = t39 * t52;
        let t54 = x(0).fma::<FUSED>(R::from_f64(-0.05555555555555555), k(4));
        let t55 = kernel::min::<R, FUSED>(t54, R::from_f64(60.0));
        let t56 = kernel::exp::<R, FUSED>(t55);
        let t57 = t56 * k(5);
        let t58 = x(0).fma::<FUSED>(R::from_f64(0.2), k(6));
        let (t59, t60) = math::sigmoid_value_grad::<R, FUSED>(t58);
        let t61 = t59.fma::<FUSED>(k(7), t57);
        let t62 = t61 * k(20);
        let t63 = R::from_f64(1.0) / t61;
        let t64 = t57 * t63;
        let t65 = kernel::exp::<R, FUSED>(t62);
        let t66 = t65 * t49;
        let t67 = t49 - t66;
        let t68 = t63 * t67;
        let t69 = x(0).fma::<FUSED>(k(10), k(11));
        let (t70, t71) = math::sigmoid_value_grad::<R, FUSED>(t69);
        let t72 = x(3) - t70;
        let t73 = t72 * t28;
        let t74 = t25 * t73;
        let t75 = t25 * k(21);
        let t76 = t75 * t74;
        let t77 = t24 * t76;
        let t78 = t24 * t77;
        let t79 = k(18) * t78;
        let t80 = t21 * t79;
        let t81 = t19 * t79;
        let t82 = t29 * t71;
        let t83 = k(10) * t82;
        let t84 = x(0).fma::<FUSED>(k(12), k(13));
        let (t85, t86) = math::sigmoid_value_grad::<R, FUSED>(t84);
        let t87 = x(4) - t85;
        let t88 = t87 * t15;
        let t89 = t4 * t88;
        let t90 = k(21) * t4;
        let t91 = t90 * t89;
        let t92 = k(19) * t91;
        let t93 = t92 * t2;
        let t94 = t17 * t86;
        let t95 = t94.fma::<FUSED>(k(12), t83);
        let t96 = t93.fma::<FUSED>(k(8), t95);
        let t97 = x(2) - t64;
        let t98 = t97 * t66;
        let t99 = k(20) * t98;
        let t100 = (-t64).fma::<FUSED>(t68, t99);
        let t101 = t68 + t100;
        let t102 = k(7) * t100;
        let t103 = t56 * t101;
        let t104 = t103 * k(27);
        let t105 = kernel::select_lt::<R, FUSED>(t54, R::from_f64(60.0), t104, R::from_f64(0.0));
        let t106 = t105 + t96;
        let t107 = x(1) - t40;
        let t108 = t107 * t51;
        let t109 = k(20) * t108;
        let t110 = (-t40).fma::<FUSED>(t53, t109);
        let t111 = t53 + t110;
        let t112 = k(3) * t110;
        let t113 = t112 * t36;
        let t114 = t102.fma::<FUSED>(t60, t113);
        let t115 = k(1) * t111;
        let t116 = t115 * t32;
        let t117 = t114.fma::<FUSED>(R::from_f64(0.2), t106);
        let t118 = t116.fma::<FUSED>(R::from_f64(-0.25), t117);
        let t119 = (-t80).fma::<FUSED>(k(16), t118);
        let t120 = (-t81).fma::<FUSED>(k(14), t119);
        let t121 = x(15) + t120;
        y[0][l] = t121;
        y[1][l] = t51;
        y[2][l] = t66;
        y[3][l] = t28;
        y[4][l] = t15;
    }
}

/// Adjoint of a step, with the cotangents of parameters as sums over nodes.
pub(super) enum SummingAdjoint {}

impl NodeProgram<16, 5, 28, 28> for SummingAdjoint {
    const FINGERPRINT: u64 = 0x5afaf6efa243b490;
    const NEGATED: [bool; 28] = [true, false, false, false, false, false, false, false, false, false, false, false, false, false, false, true, true, true, true, true, false, false, false, false, false, false, false, false];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        s: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(5) * x(5);
        let t1 = x(5) * t0;
        let t2 = x(14).fma::<FUSED>(k(26), x(13));
        let t3 = x(6) * t2;
        s[22 / CHUNK][22 % CHUNK][l] = t1.fma::<FUSED>(t3, s[22 / CHUNK][22 % CHUNK][l]);
        let t5 = t1 * k(23);
        let t6 = k(23) * t3;
        let t7 = t0 * t6;
        let t8 = t5.fma::<FUSED>(t2, x(10));
        let t9 = x(6) * t5;
        s[24 / CHUNK][24 % CHUNK][l] = x(14).fma::<FUSED>(t9, s[24 / CHUNK][24 % CHUNK][l]);
        let t11 = t7.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t12 = x(7) * x(7);
        let t13 = x(7) * t12;
        let t14 = x(14).fma::<FUSED>(k(25), x(13));
        let t15 = x(8) * t14;
        s[23 / CHUNK][23 % CHUNK][l] = t13.fma::<FUSED>(t15, s[23 / CHUNK][23 % CHUNK][l]);
        let t17 = t13 * k(24);
        let t18 = k(24) * t15;
        let t19 = t12 * t18;
        let t20 = t17.fma::<FUSED>(t14, x(12));
        let t21 = x(8) * t17;
        s[25 / CHUNK][25 % CHUNK][l] = x(14).fma::<FUSED>(t21, s[25 / CHUNK][25 % CHUNK][l]);
        let t23 = t19.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t24 = x(0).fma::<FUSED>(k(8), k(9));
        let (t25, t26) = math::sigmoid_value_grad::<R, FUSED>(t24);
        let t27 = t25 * k(19);
        let t28 = R::from_f64(1.0) / t27;
        let t29 = k(22) * t28;
        let t30 = kernel::exp::<R, FUSED>(t29);
        let t31 = t30 * t20;
        let t32 = t20 - t31;
        let t33 = x(0).fma::<FUSED>(k(12), k(13));
        let (t34, t35) = math::sigmoid_value_grad::<R, FUSED>(t33);
        let t36 = x(4) - t34;
        let t37 = t36 * t31;
        let t38 = t28 * t37;
        let t39 = k(21) * t28;
        let t40 = t39 * t38;
        s[20 / CHUNK][20 % CHUNK][l] = t25.fma::<FUSED>(t40, s[20 / CHUNK][20 % CHUNK][l]);
        let t42 = k(19) * t40;
        let t43 = t42 * t26;
        s[10 / CHUNK][10 % CHUNK][l] += t43;
        let t44 = t32 * t35;
        s[14 / CHUNK][14 % CHUNK][l] += t44;
        s[13 / CHUNK][13 % CHUNK][l] = x(0).fma::<FUSED>(t44, s[13 / CHUNK][13 % CHUNK][l]);
        s[9 / CHUNK][9 % CHUNK][l] = x(0).fma::<FUSED>(t43, s[9 / CHUNK][9 % CHUNK][l]);
        let t47 = x(0).fma::<FUSED>(R::from_f64(-0.25), k(0));
        let (t48, t49) = math::exprelr_value_grad::<R, FUSED>(t47);
        let t50 = t48 * k(1);
        let t51 = x(0).fma::<FUSED>(R::from_f64(0.2), k(2));
        let (t52, t53) = math::exprelr_value_grad::<R, FUSED>(t51);
        let t54 = t52.fma::<FUSED>(k(3), t50);
        let t55 = t54 * k(20);
        let t56 = kernel::exp::<R, FUSED>(t55);
        let t57 = t56 * t11;
        let t58 = t11 - t57;
        let t59 = R::from_f64(1.0) / t54;
        let t60 = t50 * t59;
        let t61 = t59 * t58;
        let t62 = x(1) - t60;
        let t63 = t62 * t57;
        let t64 = t54 * t63;
        let t65 = k(20) * t63;
        let t66 = (-t60).fma::<FUSED>(t61, t65);
        s[4 / CHUNK][4 % CHUNK][l] = t52.fma::<FUSED>(t66, s[4 / CHUNK][4 % CHUNK][l]);
        let t68 = t61 + t66;
        let t69 = k(3) * t66;
        let t70 = t69 * t53;
        s[3 / CHUNK][3 % CHUNK][l] += t70;
        s[2 / CHUNK][2 % CHUNK][l] = t48.fma::<FUSED>(t68, s[2 / CHUNK][2 % CHUNK][l]);
        let t72 = k(1) * t68;
        let t73 = t72 * t49;
        s[1 / CHUNK][1 % CHUNK][l] += t73;
        let t74 = x(0).fma::<FUSED>(R::from_f64(-0.05555555555555555), k(4));
        let t75 = kernel::min::<R, FUSED>(t74, R::from_f64(60.0));
        let t76 = kernel::exp::<R, FUSED>(t75);
        let t77 = t76 * k(5);
        let t78 = x(0).fma::<FUSED>(R::from_f64(0.2), k(6));
        let (t79, t80) = math::sigmoid_value_grad::<R, FUSED>(t78);
        let t81 = t79.fma::<FUSED>(k(7), t77);
        let t82 = t81 * k(20);
        let t83 = kernel::exp::<R, FUSED>(t82);
        let t84 = t83 * t8;
        let t85 = t8 - t84;
        let t86 = R::from_f64(1.0) / t81;
        let t87 = t77 * t86;
        let t88 = t86 * t85;
        let t89 = x(2) - t87;
        let t90 = t89 * t84;
        let t91 = t81.fma::<FUSED>(t90, t64);
        s[21 / CHUNK][21 % CHUNK][l] += t91;
        let t92 = k(20) * t90;
        let t93 = (-t87).fma::<FUSED>(t88, t92);
        s[8 / CHUNK][8 % CHUNK][l] = t79.fma::<FUSED>(t93, s[8 / CHUNK][8 % CHUNK][l]);
        let t95 = t88 + t93;
        let t96 = k(7) * t93;
        let t97 = t96 * t80;
        s[7 / CHUNK][7 % CHUNK][l] += t97;
        let t98 = t76 * t95;
        s[6 / CHUNK][6 % CHUNK][l] += t98;
        let t99 = t97 + t70;
        let t100 = k(5) * t98;
        let t101 = kernel::select_lt::<R, FUSED>(t74, R::from_f64(60.0), t100, R::from_f64(0.0));
        s[5 / CHUNK][5 % CHUNK][l] += t101;
        let t102 = t98 * k(27);
        let t103 = kernel::select_lt::<R, FUSED>(t74, R::from_f64(60.0), t102, R::from_f64(0.0));
        let t104 = x(0).fma::<FUSED>(k(14), k(15));
        let t105 = kernel::exp::<R, FUSED>(t104);
        let t106 = x(0).fma::<FUSED>(k(16), k(17));
        let t107 = kernel::exp::<R, FUSED>(t106);
        let t108 = t105 + t107;
        let t109 = t108 * k(18);
        let t110 = R::from_f64(1.0) / t109;
        let t111 = R::from_f64(1.0) / t110;
        let t112 = t111 * k(22);
        let t113 = kernel::exp::<R, FUSED>(t112);
        let t114 = t113 * t23;
        let t115 = t23 - t114;
        let t116 = x(0).fma::<FUSED>(k(10), k(11));
        let (t117, t118) = math::sigmoid_value_grad::<R, FUSED>(t116);
        let t119 = x(3) - t117;
        let t120 = t119 * t114;
        let t121 = t111 * t120;
        let t122 = t111 * k(21);
        let t123 = t122 * t121;
        let t124 = t110 * t123;
        let t125 = t110 * t124;
        let t127 = k(18) * t125;
        s[19 / CHUNK][19 % CHUNK][l] = t108.fma::<FUSED>(t125, s[19 / CHUNK][19 % CHUNK][l]);
        let t129 = t107 * t127;
        s[18 / CHUNK][18 % CHUNK][l] += t129;
        let t131 = t105 * t127;
        s[16 / CHUNK][16 % CHUNK][l] += t131;
        let t133 = t115 * t118;
        s[12 / CHUNK][12 % CHUNK][l] += t133;
        s[11 / CHUNK][11 % CHUNK][l] = x(0).fma::<FUSED>(t133, s[11 / CHUNK][11 % CHUNK][l]);
        let t135 = k(10) * t133;
        let t136 = t38 + t121;
        s[0 / CHUNK][0 % CHUNK][l] += t136;
        let t138 = t44.fma::<FUSED>(k(12), t135);
        let t139 = t43.fma::<FUSED>(k(8), t138);
        let t140 = t103 + t139;
        let t141 = t99.fma::<FUSED>(R::from_f64(0.2), t140);
        let t142 = t73.fma::<FUSED>(R::from_f64(-0.25), t141);
        let t143 = (-t129).fma::<FUSED>(k(16), t142);
        s[17 / CHUNK][17 % CHUNK][l] = x(0).fma::<FUSED>(t129, s[17 / CHUNK][17 % CHUNK][l]);
        let t146 = (-t131).fma::<FUSED>(k(14), t143);
        s[15 / CHUNK][15 % CHUNK][l] = x(0).fma::<FUSED>(t131, s[15 / CHUNK][15 % CHUNK][l]);
        let t149 = x(15) + t146;
        s[26 / CHUNK][26 % CHUNK][l] += x(13);
        s[27 / CHUNK][27 % CHUNK][l] += x(14);
        y[0][l] = t149;
        y[1][l] = t57;
        y[2][l] = t84;
        y[3][l] = t114;
        y[4][l] = t31;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<13, 6, 0, 6> for Rest {
    const FINGERPRINT: u64 = 0xcaa89a38cf99761d;
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
        let t6 = (-x(4)).fma::<FUSED>(x(11), x(12));
        let t7 = x(4) + t6;
        let t8 = t1 * t1;
        let t9 = t1 * t8;
        let t10 = t9 * k(0);
        let t11 = t3 * t10;
        let t12 = t5 * t5;
        let t13 = t5 * t12;
        let t14 = t13 * k(1);
        let t15 = t7 * t14;
        let t16 = t11 + t15;
        let t17 = t15 * k(3);
        let t18 = t11.fma::<FUSED>(k(2), t17);
        let t19 = t16 + k(4);
        let t20 = t18 + k(5);
        y[0][l] = t1;
        y[1][l] = t3;
        y[2][l] = t5;
        y[3][l] = t7;
        y[4][l] = t19;
        y[5][l] = t20;
    }
}
