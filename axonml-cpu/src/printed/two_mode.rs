//! Membrane of `two-mode`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::erasing_op, clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::{CHUNK, NodeProgram, Sums};

/// One step at the present voltage: new states, conductance and source.
pub(super) enum Step {}

impl NodeProgram<5, 6, 0, 35> for Step {
    const FINGERPRINT: u64 = 0xe3c6e76577252cdc;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(k(0), k(1));
        let t1 = kernel::exprelr::<R, FUSED>(t0);
        let t2 = x(0).fma::<FUSED>(k(2), k(3));
        let t3 = kernel::exprelr::<R, FUSED>(t2);
        let t4 = t1 * k(4);
        let t5 = x(0).fma::<FUSED>(k(6), k(7));
        let t6 = kernel::exprelr::<R, FUSED>(t5);
        let t7 = x(0).fma::<FUSED>(k(8), k(9));
        let t8 = kernel::sigmoid::<R, FUSED>(t7);
        let t9 = t6 * k(10);
        let t10 = x(0).fma::<FUSED>(k(12), k(13));
        let t11 = kernel::exprelr::<R, FUSED>(t10);
        let t12 = x(0).fma::<FUSED>(k(14), k(15));
        let t13 = kernel::exprelr::<R, FUSED>(t12);
        let t14 = t11 * k(16);
        let t15 = x(0).fma::<FUSED>(k(18), k(19));
        let t16 = kernel::sigmoid::<R, FUSED>(t15);
        let t17 = x(0).fma::<FUSED>(k(20), k(21));
        let t18 = kernel::sigmoid::<R, FUSED>(t17);
        let t19 = t16.fma::<FUSED>(k(22), k(23));
        let t20 = t18.fma::<FUSED>(k(24), k(25));
        let t21 = t3.fma::<FUSED>(k(5), t4);
        let t22 = t4 / t21;
        let t23 = t8.fma::<FUSED>(k(11), t9);
        let t24 = t9 / t23;
        let t25 = t13.fma::<FUSED>(k(17), t14);
        let t26 = t14 / t25;
        let t27 = t19 + t20;
        let t28 = t19 / t27;
        let t29 = t21 * k(26);
        let t30 = x(1) - t22;
        let t31 = kernel::exp::<R, FUSED>(t29);
        let t32 = t30.fma::<FUSED>(t31, t22);
        let t33 = t23 * k(26);
        let t34 = x(2) - t24;
        let t35 = kernel::exp::<R, FUSED>(t33);
        let t36 = t34.fma::<FUSED>(t35, t24);
        let t37 = t25 * k(26);
        let t38 = x(3) - t26;
        let t39 = kernel::exp::<R, FUSED>(t37);
        let t40 = t38.fma::<FUSED>(t39, t26);
        let t41 = t27 * k(26);
        let t42 = x(4) - t28;
        let t43 = kernel::exp::<R, FUSED>(t41);
        let t44 = t42.fma::<FUSED>(t43, t28);
        let t45 = t32 * t32;
        let t46 = t32 * t45;
        let t47 = t46 * k(27);
        let t48 = t36 * t47;
        let t49 = t40 * t40;
        let t50 = t40 * t49;
        let t51 = t50.fma::<FUSED>(k(28), t48);
        let t52 = t50 * k(31);
        let t53 = t48.fma::<FUSED>(k(30), t52);
        let t54 = t44.fma::<FUSED>(k(29), t51);
        let t55 = t44.fma::<FUSED>(k(32), t53);
        let t56 = t54 + k(33);
        let t57 = t55 + k(34);
        y[0][l] = t32;
        y[1][l] = t36;
        y[2][l] = t40;
        y[3][l] = t44;
        y[4][l] = t56;
        y[5][l] = t57;
    }
}

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<16, 5, 0, 33> for Adjoint {
    const FINGERPRINT: u64 = 0x1fbec29ebaf14c65;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(k(18), k(19));
        let (t1, t2) = math::sigmoid_value_grad::<R, FUSED>(t0);
        let t3 = t1.fma::<FUSED>(k(22), k(23));
        let t4 = x(0).fma::<FUSED>(k(20), k(21));
        let (t5, t6) = math::sigmoid_value_grad::<R, FUSED>(t4);
        let t7 = t5.fma::<FUSED>(k(24), k(25));
        let t8 = t3 + t7;
        let t9 = t8 * k(26);
        let t10 = R::from_f64(1.0) / t8;
        let t11 = t3 * t10;
        let t12 = kernel::exp::<R, FUSED>(t9);
        let t13 = x(14).fma::<FUSED>(k(28), x(12));
        let t14 = x(13).fma::<FUSED>(k(31), t13);
        let t15 = t12 * t14;
        let t16 = t14 - t15;
        let t17 = t10 * t16;
        let t18 = x(0).fma::<FUSED>(k(12), k(13));
        let (t19, t20) = math::exprelr_value_grad::<R, FUSED>(t18);
        let t21 = t19 * k(16);
        let t22 = x(0).fma::<FUSED>(k(14), k(15));
        let (t23, t24) = math::exprelr_value_grad::<R, FUSED>(t22);
        let t25 = t23.fma::<FUSED>(k(17), t21);
        let t26 = t25 * k(26);
        let t27 = R::from_f64(1.0) / t25;
        let t28 = t21 * t27;
        let t29 = kernel::exp::<R, FUSED>(t26);
        let t30 = x(13) * k(32);
        let t31 = x(14).fma::<FUSED>(k(29), t30);
        let t32 = x(7) * x(7);
        let t33 = t32 * t31;
        let t34 = t33.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t35 = t29 * t34;
        let t36 = t34 - t35;
        let t37 = t27 * t36;
        let t38 = x(0).fma::<FUSED>(k(6), k(7));
        let (t39, t40) = math::exprelr_value_grad::<R, FUSED>(t38);
        let t41 = t39 * k(10);
        let t42 = x(0).fma::<FUSED>(k(8), k(9));
        let (t43, t44) = math::sigmoid_value_grad::<R, FUSED>(t42);
        let t45 = t43.fma::<FUSED>(k(11), t41);
        let t46 = t45 * k(26);
        let t47 = R::from_f64(1.0) / t45;
        let t48 = t41 * t47;
        let t49 = kernel::exp::<R, FUSED>(t46);
        let t50 = x(5) * x(5);
        let t51 = x(5) * t50;
        let t52 = t51 * k(27);
        let t53 = x(14).fma::<FUSED>(k(30), x(13));
        let t54 = t52.fma::<FUSED>(t53, x(10));
        let t55 = x(6) * t53;
        let t56 = k(27) * t55;
        let t57 = t50 * t56;
        let t58 = t49 * t54;
        let t59 = t57.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t60 = t54 - t58;
        let t61 = t47 * t60;
        let t62 = x(0).fma::<FUSED>(k(0), k(1));
        let (t63, t64) = math::exprelr_value_grad::<R, FUSED>(t62);
        let t65 = t63 * k(4);
        let t66 = x(0).fma::<FUSED>(k(2), k(3));
        let (t67, t68) = math::exprelr_value_grad::<R, FUSED>(t66);
        let t69 = t67.fma::<FUSED>(k(5), t65);
        let t70 = t69 * k(26);
        let t71 = R::from_f64(1.0) / t69;
        let t72 = t65 * t71;
        let t73 = kernel::exp::<R, FUSED>(t70);
        let t74 = t73 * t59;
        let t75 = t59 - t74;
        let t76 = t71 * t75;
        let t77 = x(4) - t11;
        let t78 = t77 * t15;
        let t79 = k(26) * t78;
        let t80 = (-t11).fma::<FUSED>(t17, t79);
        let t81 = t17 + t80;
        let t82 = k(24) * t80;
        let t83 = k(22) * t81;
        let t84 = t82 * t6;
        let t85 = t83 * t2;
        let t86 = k(18) * t85;
        let t87 = t84.fma::<FUSED>(k(20), t86);
        let t88 = x(3) - t28;
        let t89 = t88 * t35;
        let t90 = k(26) * t89;
        let t91 = (-t28).fma::<FUSED>(t37, t90);
        let t92 = t37 + t91;
        let t93 = k(17) * t91;
        let t94 = k(16) * t92;
        let t95 = t93 * t24;
        let t96 = t94 * t20;
        let t97 = t95.fma::<FUSED>(k(14), t87);
        let t98 = t96.fma::<FUSED>(k(12), t97);
        let t99 = x(2) - t48;
        let t100 = t99 * t58;
        let t101 = k(26) * t100;
        let t102 = (-t48).fma::<FUSED>(t61, t101);
        let t103 = t61 + t102;
        let t104 = k(11) * t102;
        let t105 = k(10) * t103;
        let t106 = t104 * t44;
        let t107 = t105 * t40;
        let t108 = t106.fma::<FUSED>(k(8), t98);
        let t109 = t107.fma::<FUSED>(k(6), t108);
        let t110 = x(1) - t72;
        let t111 = t110 * t74;
        let t112 = k(26) * t111;
        let t113 = (-t72).fma::<FUSED>(t76, t112);
        let t114 = t76 + t113;
        let t115 = k(5) * t113;
        let t116 = k(4) * t114;
        let t117 = t115 * t68;
        let t118 = t116 * t64;
        let t119 = t117.fma::<FUSED>(k(2), t109);
        let t120 = t118.fma::<FUSED>(k(0), t119);
        let t121 = x(15) + t120;
        y[0][l] = t121;
        y[1][l] = t74;
        y[2][l] = t58;
        y[3][l] = t35;
        y[4][l] = t15;
    }
}

/// Adjoint of a step, with the cotangents of parameters as sums over nodes.
pub(super) enum SummingAdjoint {}

impl NodeProgram<16, 5, 35, 33> for SummingAdjoint {
    const FINGERPRINT: u64 = 0x7ba0d4435582d153;
    const NEGATED: [bool; 35] = [false; 35];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        s: Sums<'_, R, L>,
        l: usize,
    ) {
        s[29 / CHUNK][29 % CHUNK][l] = x(8).fma::<FUSED>(x(13), s[29 / CHUNK][29 % CHUNK][l]);
        s[32 / CHUNK][32 % CHUNK][l] = x(8).fma::<FUSED>(x(14), s[32 / CHUNK][32 % CHUNK][l]);
        let t2 = x(7) * x(7);
        let t3 = x(7) * t2;
        s[31 / CHUNK][31 % CHUNK][l] = x(14).fma::<FUSED>(t3, s[31 / CHUNK][31 % CHUNK][l]);
        s[28 / CHUNK][28 % CHUNK][l] = x(13).fma::<FUSED>(t3, s[28 / CHUNK][28 % CHUNK][l]);
        let t6 = x(5) * x(5);
        let t7 = x(5) * t6;
        let t8 = x(14).fma::<FUSED>(k(30), x(13));
        let t9 = x(6) * t8;
        s[27 / CHUNK][27 % CHUNK][l] = t7.fma::<FUSED>(t9, s[27 / CHUNK][27 % CHUNK][l]);
        let t11 = t7 * k(27);
        let t12 = k(27) * t9;
        let t13 = t6 * t12;
        let t14 = t11.fma::<FUSED>(t8, x(10));
        let t15 = x(6) * t11;
        s[30 / CHUNK][30 % CHUNK][l] = x(14).fma::<FUSED>(t15, s[30 / CHUNK][30 % CHUNK][l]);
        let t17 = t13.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t18 = x(0).fma::<FUSED>(k(0), k(1));
        let (t19, t20) = math::exprelr_value_grad::<R, FUSED>(t18);
        let t21 = t19 * k(4);
        let t22 = x(0).fma::<FUSED>(k(2), k(3));
        let (t23, t24) = math::exprelr_value_grad::<R, FUSED>(t22);
        let t25 = t23.fma::<FUSED>(k(5), t21);
        let t26 = t25 * k(26);
        let t27 = kernel::exp::<R, FUSED>(t26);
        let t28 = t27 * t17;
        let t29 = t17 - t28;
        let t30 = R::from_f64(1.0) / t25;
        let t31 = t21 * t30;
        let t32 = t30 * t29;
        let t33 = x(1) - t31;
        let t34 = t33 * t28;
        let t35 = k(26) * t34;
        let t36 = (-t31).fma::<FUSED>(t32, t35);
        s[5 / CHUNK][5 % CHUNK][l] = t23.fma::<FUSED>(t36, s[5 / CHUNK][5 % CHUNK][l]);
        let t38 = t32 + t36;
        let t39 = k(5) * t36;
        s[4 / CHUNK][4 % CHUNK][l] = t19.fma::<FUSED>(t38, s[4 / CHUNK][4 % CHUNK][l]);
        let t41 = k(4) * t38;
        let t42 = t39 * t24;
        s[3 / CHUNK][3 % CHUNK][l] += t42;
        s[2 / CHUNK][2 % CHUNK][l] = x(0).fma::<FUSED>(t42, s[2 / CHUNK][2 % CHUNK][l]);
        let t44 = t41 * t20;
        s[1 / CHUNK][1 % CHUNK][l] += t44;
        s[0 / CHUNK][0 % CHUNK][l] = x(0).fma::<FUSED>(t44, s[0 / CHUNK][0 % CHUNK][l]);
        let t46 = x(0).fma::<FUSED>(k(6), k(7));
        let (t47, t48) = math::exprelr_value_grad::<R, FUSED>(t46);
        let t49 = t47 * k(10);
        let t50 = x(0).fma::<FUSED>(k(8), k(9));
        let (t51, t52) = math::sigmoid_value_grad::<R, FUSED>(t50);
        let t53 = t51.fma::<FUSED>(k(11), t49);
        let t54 = t53 * k(26);
        let t55 = kernel::exp::<R, FUSED>(t54);
        let t56 = t55 * t14;
        let t57 = t14 - t56;
        let t58 = R::from_f64(1.0) / t53;
        let t59 = t49 * t58;
        let t60 = t58 * t57;
        let t61 = x(2) - t59;
        let t62 = t61 * t56;
        let t63 = k(26) * t62;
        let t64 = (-t59).fma::<FUSED>(t60, t63);
        s[11 / CHUNK][11 % CHUNK][l] = t51.fma::<FUSED>(t64, s[11 / CHUNK][11 % CHUNK][l]);
        let t66 = t60 + t64;
        let t67 = k(11) * t64;
        s[10 / CHUNK][10 % CHUNK][l] = t47.fma::<FUSED>(t66, s[10 / CHUNK][10 % CHUNK][l]);
        let t69 = k(10) * t66;
        let t70 = t67 * t52;
        s[9 / CHUNK][9 % CHUNK][l] += t70;
        s[8 / CHUNK][8 % CHUNK][l] = x(0).fma::<FUSED>(t70, s[8 / CHUNK][8 % CHUNK][l]);
        let t72 = t69 * t48;
        s[7 / CHUNK][7 % CHUNK][l] += t72;
        s[6 / CHUNK][6 % CHUNK][l] = x(0).fma::<FUSED>(t72, s[6 / CHUNK][6 % CHUNK][l]);
        let t74 = x(0).fma::<FUSED>(k(18), k(19));
        let (t75, t76) = math::sigmoid_value_grad::<R, FUSED>(t74);
        let t77 = t75.fma::<FUSED>(k(22), k(23));
        let t78 = x(0).fma::<FUSED>(k(20), k(21));
        let (t79, t80) = math::sigmoid_value_grad::<R, FUSED>(t78);
        let t81 = t79.fma::<FUSED>(k(24), k(25));
        let t82 = t77 + t81;
        let t83 = t82 * k(26);
        let t84 = kernel::exp::<R, FUSED>(t83);
        let t85 = x(14).fma::<FUSED>(k(28), x(12));
        let t86 = x(13).fma::<FUSED>(k(31), t85);
        let t87 = t84 * t86;
        let t88 = t86 - t87;
        let t89 = R::from_f64(1.0) / t82;
        let t90 = t77 * t89;
        let t91 = t89 * t88;
        let t92 = x(4) - t90;
        let t93 = t92 * t87;
        let t94 = k(26) * t93;
        let t95 = (-t90).fma::<FUSED>(t91, t94);
        s[25 / CHUNK][25 % CHUNK][l] += t95;
        s[24 / CHUNK][24 % CHUNK][l] = t79.fma::<FUSED>(t95, s[24 / CHUNK][24 % CHUNK][l]);
        let t97 = t91 + t95;
        s[23 / CHUNK][23 % CHUNK][l] += t97;
        let t98 = k(24) * t95;
        s[22 / CHUNK][22 % CHUNK][l] = t75.fma::<FUSED>(t97, s[22 / CHUNK][22 % CHUNK][l]);
        let t100 = k(22) * t97;
        let t101 = t98 * t80;
        s[21 / CHUNK][21 % CHUNK][l] += t101;
        s[20 / CHUNK][20 % CHUNK][l] = x(0).fma::<FUSED>(t101, s[20 / CHUNK][20 % CHUNK][l]);
        let t103 = t100 * t76;
        s[19 / CHUNK][19 % CHUNK][l] += t103;
        s[18 / CHUNK][18 % CHUNK][l] = x(0).fma::<FUSED>(t103, s[18 / CHUNK][18 % CHUNK][l]);
        let t105 = k(18) * t103;
        let t106 = t101.fma::<FUSED>(k(20), t105);
        let t107 = x(0).fma::<FUSED>(k(12), k(13));
        let (t108, t109) = math::exprelr_value_grad::<R, FUSED>(t107);
        let t110 = t108 * k(16);
        let t111 = x(0).fma::<FUSED>(k(14), k(15));
        let (t112, t113) = math::exprelr_value_grad::<R, FUSED>(t111);
        let t114 = t112.fma::<FUSED>(k(17), t110);
        let t115 = t114 * k(26);
        let t116 = kernel::exp::<R, FUSED>(t115);
        let t117 = x(13) * k(32);
        let t118 = x(14).fma::<FUSED>(k(29), t117);
        let t119 = t2 * t118;
        let t120 = t119.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t121 = t116 * t120;
        let t122 = t120 - t121;
        let t123 = R::from_f64(1.0) / t114;
        let t124 = t110 * t123;
        let t125 = t123 * t122;
        let t126 = x(3) - t124;
        let t127 = t126 * t121;
        let t128 = t114 * t127;
        let t129 = k(26) * t127;
        let t130 = t82.fma::<FUSED>(t93, t128);
        let t131 = t53.fma::<FUSED>(t62, t130);
        let t132 = t25.fma::<FUSED>(t34, t131);
        s[26 / CHUNK][26 % CHUNK][l] += t132;
        let t133 = (-t124).fma::<FUSED>(t125, t129);
        s[17 / CHUNK][17 % CHUNK][l] = t112.fma::<FUSED>(t133, s[17 / CHUNK][17 % CHUNK][l]);
        let t135 = t125 + t133;
        let t136 = k(17) * t133;
        s[16 / CHUNK][16 % CHUNK][l] = t108.fma::<FUSED>(t135, s[16 / CHUNK][16 % CHUNK][l]);
        let t138 = k(16) * t135;
        let t139 = t136 * t113;
        s[15 / CHUNK][15 % CHUNK][l] += t139;
        s[14 / CHUNK][14 % CHUNK][l] = x(0).fma::<FUSED>(t139, s[14 / CHUNK][14 % CHUNK][l]);
        let t141 = t138 * t109;
        s[13 / CHUNK][13 % CHUNK][l] += t141;
        s[12 / CHUNK][12 % CHUNK][l] = x(0).fma::<FUSED>(t141, s[12 / CHUNK][12 % CHUNK][l]);
        let t143 = t139.fma::<FUSED>(k(14), t106);
        let t144 = t141.fma::<FUSED>(k(12), t143);
        let t145 = t70.fma::<FUSED>(k(8), t144);
        let t146 = t72.fma::<FUSED>(k(6), t145);
        let t147 = t42.fma::<FUSED>(k(2), t146);
        let t148 = t44.fma::<FUSED>(k(0), t147);
        let t149 = x(15) + t148;
        s[33 / CHUNK][33 % CHUNK][l] += x(13);
        s[34 / CHUNK][34 % CHUNK][l] += x(14);
        y[0][l] = t149;
        y[1][l] = t28;
        y[2][l] = t56;
        y[3][l] = t121;
        y[4][l] = t87;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<11, 6, 0, 17> for Rest {
    const FINGERPRINT: u64 = 0x74281b9d645ebd61;
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
        let t6 = x(0).fma::<FUSED>(k(0), k(1));
        let t7 = kernel::sigmoid::<R, FUSED>(t6);
        let t8 = x(0).fma::<FUSED>(k(2), k(3));
        let t9 = kernel::sigmoid::<R, FUSED>(t8);
        let t10 = t7.fma::<FUSED>(k(4), k(5));
        let t11 = t9.fma::<FUSED>(k(6), k(7));
        let t12 = t10 + t11;
        let t13 = t10 / t12;
        let t14 = t12 * k(8);
        let t15 = x(4) - t13;
        let t16 = kernel::exp::<R, FUSED>(t14);
        let t17 = t15.fma::<FUSED>(t16, t13);
        let t18 = t1 * t1;
        let t19 = t1 * t18;
        let t20 = t19 * k(9);
        let t21 = t3 * t20;
        let t22 = t5 * t5;
        let t23 = t5 * t22;
        let t24 = t23.fma::<FUSED>(k(10), t21);
        let t25 = t23 * k(13);
        let t26 = t21.fma::<FUSED>(k(12), t25);
        let t27 = t17.fma::<FUSED>(k(11), t24);
        let t28 = t17.fma::<FUSED>(k(14), t26);
        let t29 = t27 + k(15);
        let t30 = t28 + k(16);
        y[0][l] = t1;
        y[1][l] = t3;
        y[2][l] = t5;
        y[3][l] = t17;
        y[4][l] = t29;
        y[5][l] = t30;
    }
}
