//! Membrane of `smf`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::erasing_op, clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::{CHUNK, NodeProgram, Sums};

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<15, 5, 0, 34> for Adjoint {
    const FINGERPRINT: u64 = 0x75a2caff89c082df;
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
        let t13 = x(0) * x(13);
        let t14 = t13.fma::<FUSED>(k(29), x(12));
        let t15 = (-x(13)).fma::<FUSED>(k(31), t14);
        let t16 = t12 * t15;
        let t17 = t15 - t16;
        let t18 = t10 * t17;
        let t19 = x(0).fma::<FUSED>(k(12), k(13));
        let (t20, t21) = math::exprelr_value_grad::<R, FUSED>(t19);
        let t22 = t20 * k(16);
        let t23 = x(0).fma::<FUSED>(k(14), k(15));
        let (t24, t25) = math::exprelr_value_grad::<R, FUSED>(t23);
        let t26 = t24.fma::<FUSED>(k(17), t22);
        let t27 = t26 * k(26);
        let t28 = R::from_f64(1.0) / t26;
        let t29 = t22 * t28;
        let t30 = kernel::exp::<R, FUSED>(t27);
        let t31 = k(28) * t13;
        let t32 = (-x(13)).fma::<FUSED>(k(32), t31);
        let t33 = (-x(13)).fma::<FUSED>(k(33), t13);
        let t34 = x(7) * x(7);
        let t35 = t34 * t32;
        let t36 = x(7) * t34;
        let t37 = t36 * k(28);
        let t38 = t35.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t39 = t30 * t38;
        let t40 = t38 - t39;
        let t41 = t28 * t40;
        let t42 = x(0).fma::<FUSED>(k(6), k(7));
        let (t43, t44) = math::exprelr_value_grad::<R, FUSED>(t42);
        let t45 = t43 * k(10);
        let t46 = x(0).fma::<FUSED>(k(8), k(9));
        let (t47, t48) = math::sigmoid_value_grad::<R, FUSED>(t46);
        let t49 = t47.fma::<FUSED>(k(11), t45);
        let t50 = t49 * k(26);
        let t51 = R::from_f64(1.0) / t49;
        let t52 = t45 * t51;
        let t53 = kernel::exp::<R, FUSED>(t50);
        let t54 = x(5) * x(5);
        let t55 = x(5) * t54;
        let t56 = t55 * k(27);
        let t57 = x(6).fma::<FUSED>(t56, t37);
        let t58 = x(8).fma::<FUSED>(k(29), t57);
        let t59 = t58 + k(30);
        let t60 = t56.fma::<FUSED>(t33, x(10));
        let t61 = x(6) * t33;
        let t62 = k(27) * t61;
        let t63 = t54 * t62;
        let t64 = t53 * t60;
        let t65 = t63.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t66 = t60 - t64;
        let t67 = t51 * t66;
        let t68 = x(0).fma::<FUSED>(k(0), k(1));
        let (t69, t70) = math::exprelr_value_grad::<R, FUSED>(t68);
        let t71 = t69 * k(4);
        let t72 = x(0).fma::<FUSED>(k(2), k(3));
        let (t73, t74) = math::exprelr_value_grad::<R, FUSED>(t72);
        let t75 = t73.fma::<FUSED>(k(5), t71);
        let t76 = t75 * k(26);
        let t77 = R::from_f64(1.0) / t75;
        let t78 = t71 * t77;
        let t79 = kernel::exp::<R, FUSED>(t76);
        let t80 = t79 * t65;
        let t81 = t65 - t80;
        let t82 = t77 * t81;
        let t83 = x(4) - t11;
        let t84 = t83 * t16;
        let t85 = k(26) * t84;
        let t86 = (-t11).fma::<FUSED>(t18, t85);
        let t87 = t18 + t86;
        let t88 = k(24) * t86;
        let t89 = k(22) * t87;
        let t90 = t88 * t6;
        let t91 = k(20) * t90;
        let t92 = t89 * t2;
        let t93 = x(13).fma::<FUSED>(t59, t91);
        let t94 = t92.fma::<FUSED>(k(18), t93);
        let t95 = x(3) - t29;
        let t96 = t95 * t39;
        let t97 = k(26) * t96;
        let t98 = (-t29).fma::<FUSED>(t41, t97);
        let t99 = t41 + t98;
        let t100 = k(17) * t98;
        let t101 = k(16) * t99;
        let t102 = t100 * t25;
        let t103 = t101 * t21;
        let t104 = t102.fma::<FUSED>(k(14), t94);
        let t105 = t103.fma::<FUSED>(k(12), t104);
        let t106 = x(2) - t52;
        let t107 = t106 * t64;
        let t108 = k(26) * t107;
        let t109 = (-t52).fma::<FUSED>(t67, t108);
        let t110 = t67 + t109;
        let t111 = k(11) * t109;
        let t112 = k(10) * t110;
        let t113 = t111 * t48;
        let t114 = t112 * t44;
        let t115 = t113.fma::<FUSED>(k(8), t105);
        let t116 = t114.fma::<FUSED>(k(6), t115);
        let t117 = x(1) - t78;
        let t118 = t117 * t80;
        let t119 = k(26) * t118;
        let t120 = (-t78).fma::<FUSED>(t82, t119);
        let t121 = t82 + t120;
        let t122 = k(5) * t120;
        let t123 = k(4) * t121;
        let t124 = t122 * t74;
        let t125 = t123 * t70;
        let t126 = t124.fma::<FUSED>(k(2), t116);
        let t127 = t125.fma::<FUSED>(k(0), t126);
        let t128 = x(14) + t127;
        y[0][l] = t128;
        y[1][l] = t80;
        y[2][l] = t64;
        y[3][l] = t39;
        y[4][l] = t16;
    }
}

/// Adjoint of a step, with the cotangents of parameters as sums over nodes.
pub(super) enum SummingAdjoint {}

impl NodeProgram<15, 5, 35, 34> for SummingAdjoint {
    const FINGERPRINT: u64 = 0x9f0ca67874aa5fc3;
    const NEGATED: [bool; 35] = [false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, true, true, true, false, true];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        s: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = x(0) * x(13);
        s[33 / CHUNK][33 % CHUNK][l] += t0;
        s[34 / CHUNK][34 % CHUNK][l] += x(13);
        let t2 = x(8) * x(13);
        s[32 / CHUNK][32 % CHUNK][l] += t2;
        s[29 / CHUNK][29 % CHUNK][l] = x(0).fma::<FUSED>(t2, s[29 / CHUNK][29 % CHUNK][l]);
        let t5 = x(7) * x(7);
        let t6 = x(7) * t5;
        let t7 = x(13) * t6;
        s[31 / CHUNK][31 % CHUNK][l] += t7;
        s[28 / CHUNK][28 % CHUNK][l] = x(0).fma::<FUSED>(t7, s[28 / CHUNK][28 % CHUNK][l]);
        let t10 = x(5) * x(5);
        let t11 = x(5) * t10;
        let t12 = (-x(13)).fma::<FUSED>(k(33), t0);
        let t13 = x(6) * t12;
        s[27 / CHUNK][27 % CHUNK][l] = t11.fma::<FUSED>(t13, s[27 / CHUNK][27 % CHUNK][l]);
        let t15 = t11 * k(27);
        let t16 = k(27) * t13;
        let t17 = t10 * t16;
        let t18 = t15.fma::<FUSED>(t12, x(10));
        let t19 = x(6) * t15;
        let t20 = t6.fma::<FUSED>(k(28), t19);
        let t21 = x(8).fma::<FUSED>(k(29), t20);
        let t22 = t21 + k(30);
        s[30 / CHUNK][30 % CHUNK][l] = x(13).fma::<FUSED>(t19, s[30 / CHUNK][30 % CHUNK][l]);
        let t25 = t17.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t26 = x(0).fma::<FUSED>(k(0), k(1));
        let (t27, t28) = math::exprelr_value_grad::<R, FUSED>(t26);
        let t29 = t27 * k(4);
        let t30 = x(0).fma::<FUSED>(k(2), k(3));
        let (t31, t32) = math::exprelr_value_grad::<R, FUSED>(t30);
        let t33 = t31.fma::<FUSED>(k(5), t29);
        let t34 = t33 * k(26);
        let t35 = kernel::exp::<R, FUSED>(t34);
        let t36 = t35 * t25;
        let t37 = t25 - t36;
        let t38 = R::from_f64(1.0) / t33;
        let t39 = t29 * t38;
        let t40 = t38 * t37;
        let t41 = x(1) - t39;
        let t42 = t41 * t36;
        let t43 = k(26) * t42;
        let t44 = (-t39).fma::<FUSED>(t40, t43);
        s[5 / CHUNK][5 % CHUNK][l] = t31.fma::<FUSED>(t44, s[5 / CHUNK][5 % CHUNK][l]);
        let t46 = t40 + t44;
        let t47 = k(5) * t44;
        s[4 / CHUNK][4 % CHUNK][l] = t27.fma::<FUSED>(t46, s[4 / CHUNK][4 % CHUNK][l]);
        let t49 = k(4) * t46;
        let t50 = t47 * t32;
        s[3 / CHUNK][3 % CHUNK][l] += t50;
        s[2 / CHUNK][2 % CHUNK][l] = x(0).fma::<FUSED>(t50, s[2 / CHUNK][2 % CHUNK][l]);
        let t52 = t49 * t28;
        s[1 / CHUNK][1 % CHUNK][l] += t52;
        s[0 / CHUNK][0 % CHUNK][l] = x(0).fma::<FUSED>(t52, s[0 / CHUNK][0 % CHUNK][l]);
        let t54 = x(0).fma::<FUSED>(k(6), k(7));
        let (t55, t56) = math::exprelr_value_grad::<R, FUSED>(t54);
        let t57 = t55 * k(10);
        let t58 = x(0).fma::<FUSED>(k(8), k(9));
        let (t59, t60) = math::sigmoid_value_grad::<R, FUSED>(t58);
        let t61 = t59.fma::<FUSED>(k(11), t57);
        let t62 = t61 * k(26);
        let t63 = kernel::exp::<R, FUSED>(t62);
        let t64 = t63 * t18;
        let t65 = t18 - t64;
        let t66 = R::from_f64(1.0) / t61;
        let t67 = t57 * t66;
        let t68 = t66 * t65;
        let t69 = x(2) - t67;
        let t70 = t69 * t64;
        let t71 = k(26) * t70;
        let t72 = (-t67).fma::<FUSED>(t68, t71);
        s[11 / CHUNK][11 % CHUNK][l] = t59.fma::<FUSED>(t72, s[11 / CHUNK][11 % CHUNK][l]);
        let t74 = t68 + t72;
        let t75 = k(11) * t72;
        s[10 / CHUNK][10 % CHUNK][l] = t55.fma::<FUSED>(t74, s[10 / CHUNK][10 % CHUNK][l]);
        let t77 = k(10) * t74;
        let t78 = t75 * t60;
        s[9 / CHUNK][9 % CHUNK][l] += t78;
        s[8 / CHUNK][8 % CHUNK][l] = x(0).fma::<FUSED>(t78, s[8 / CHUNK][8 % CHUNK][l]);
        let t80 = t77 * t56;
        s[7 / CHUNK][7 % CHUNK][l] += t80;
        s[6 / CHUNK][6 % CHUNK][l] = x(0).fma::<FUSED>(t80, s[6 / CHUNK][6 % CHUNK][l]);
        let t82 = x(0).fma::<FUSED>(k(18), k(19));
        let (t83, t84) = math::sigmoid_value_grad::<R, FUSED>(t82);
        let t85 = t83.fma::<FUSED>(k(22), k(23));
        let t86 = x(0).fma::<FUSED>(k(20), k(21));
        let (t87, t88) = math::sigmoid_value_grad::<R, FUSED>(t86);
        let t89 = t87.fma::<FUSED>(k(24), k(25));
        let t90 = t85 + t89;
        let t91 = t90 * k(26);
        let t92 = kernel::exp::<R, FUSED>(t91);
        let t93 = t0.fma::<FUSED>(k(29), x(12));
        let t94 = k(28) * t0;
        let t95 = (-x(13)).fma::<FUSED>(k(32), t94);
        let t96 = t5 * t95;
        let t97 = (-x(13)).fma::<FUSED>(k(31), t93);
        let t98 = t92 * t97;
        let t99 = t96.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t100 = t97 - t98;
        let t101 = R::from_f64(1.0) / t90;
        let t102 = t85 * t101;
        let t103 = t101 * t100;
        let t104 = x(4) - t102;
        let t105 = t104 * t98;
        let t106 = k(26) * t105;
        let t107 = (-t102).fma::<FUSED>(t103, t106);
        s[25 / CHUNK][25 % CHUNK][l] += t107;
        s[24 / CHUNK][24 % CHUNK][l] = t87.fma::<FUSED>(t107, s[24 / CHUNK][24 % CHUNK][l]);
        let t109 = t103 + t107;
        s[23 / CHUNK][23 % CHUNK][l] += t109;
        let t110 = k(24) * t107;
        s[22 / CHUNK][22 % CHUNK][l] = t83.fma::<FUSED>(t109, s[22 / CHUNK][22 % CHUNK][l]);
        let t112 = k(22) * t109;
        let t113 = t110 * t88;
        s[21 / CHUNK][21 % CHUNK][l] += t113;
        s[20 / CHUNK][20 % CHUNK][l] = x(0).fma::<FUSED>(t113, s[20 / CHUNK][20 % CHUNK][l]);
        let t115 = k(20) * t113;
        let t116 = t112 * t84;
        s[19 / CHUNK][19 % CHUNK][l] += t116;
        s[18 / CHUNK][18 % CHUNK][l] = x(0).fma::<FUSED>(t116, s[18 / CHUNK][18 % CHUNK][l]);
        let t118 = x(13).fma::<FUSED>(t22, t115);
        let t119 = t116.fma::<FUSED>(k(18), t118);
        let t120 = x(0).fma::<FUSED>(k(12), k(13));
        let (t121, t122) = math::exprelr_value_grad::<R, FUSED>(t120);
        let t123 = t121 * k(16);
        let t124 = x(0).fma::<FUSED>(k(14), k(15));
        let (t125, t126) = math::exprelr_value_grad::<R, FUSED>(t124);
        let t127 = t125.fma::<FUSED>(k(17), t123);
        let t128 = t127 * k(26);
        let t129 = kernel::exp::<R, FUSED>(t128);
        let t130 = t129 * t99;
        let t131 = t99 - t130;
        let t132 = R::from_f64(1.0) / t127;
        let t133 = t123 * t132;
        let t134 = t132 * t131;
        let t135 = x(3) - t133;
        let t136 = t135 * t130;
        let t137 = t127 * t136;
        let t138 = k(26) * t136;
        let t139 = t90.fma::<FUSED>(t105, t137);
        let t140 = t61.fma::<FUSED>(t70, t139);
        let t141 = t33.fma::<FUSED>(t42, t140);
        s[26 / CHUNK][26 % CHUNK][l] += t141;
        let t142 = (-t133).fma::<FUSED>(t134, t138);
        s[17 / CHUNK][17 % CHUNK][l] = t125.fma::<FUSED>(t142, s[17 / CHUNK][17 % CHUNK][l]);
        let t144 = t134 + t142;
        let t145 = k(17) * t142;
        s[16 / CHUNK][16 % CHUNK][l] = t121.fma::<FUSED>(t144, s[16 / CHUNK][16 % CHUNK][l]);
        let t147 = k(16) * t144;
        let t148 = t145 * t126;
        s[15 / CHUNK][15 % CHUNK][l] += t148;
        s[14 / CHUNK][14 % CHUNK][l] = x(0).fma::<FUSED>(t148, s[14 / CHUNK][14 % CHUNK][l]);
        let t150 = t147 * t122;
        s[13 / CHUNK][13 % CHUNK][l] += t150;
        s[12 / CHUNK][12 % CHUNK][l] = x(0).fma::<FUSED>(t150, s[12 / CHUNK][12 % CHUNK][l]);
        let t152 = t148.fma::<FUSED>(k(14), t119);
        let t153 = t150.fma::<FUSED>(k(12), t152);
        let t154 = t78.fma::<FUSED>(k(8), t153);
        let t155 = t80.fma::<FUSED>(k(6), t154);
        let t156 = t50.fma::<FUSED>(k(2), t155);
        let t157 = t52.fma::<FUSED>(k(0), t156);
        let t158 = x(14) + t157;
        y[0][l] = t158;
        y[1][l] = t36;
        y[2][l] = t64;
        y[3][l] = t130;
        y[4][l] = t98;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<7, 6, 0, 29> for Rest {
    const FINGERPRINT: u64 = 0xdb12ce7ca2a4f936;
    const NEGATED: [bool; 0] = [false; 0];

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        _: Sums<'_, R, L>,
        l: usize,
    ) {
        let t0 = (-x(3)).fma::<FUSED>(x(5), x(6));
        let t1 = x(3) + t0;
        let t2 = x(0).fma::<FUSED>(k(0), k(1));
        let t3 = kernel::exprelr::<R, FUSED>(t2);
        let t4 = x(0).fma::<FUSED>(k(2), k(3));
        let t5 = kernel::exprelr::<R, FUSED>(t4);
        let t6 = t3 * k(4);
        let t7 = x(0).fma::<FUSED>(k(6), k(7));
        let t8 = kernel::exprelr::<R, FUSED>(t7);
        let t9 = x(0).fma::<FUSED>(k(8), k(9));
        let t10 = kernel::sigmoid::<R, FUSED>(t9);
        let t11 = t8 * k(10);
        let t12 = x(0).fma::<FUSED>(k(12), k(13));
        let t13 = kernel::sigmoid::<R, FUSED>(t12);
        let t14 = x(0).fma::<FUSED>(k(14), k(15));
        let t15 = kernel::sigmoid::<R, FUSED>(t14);
        let t16 = t13.fma::<FUSED>(k(16), k(17));
        let t17 = t15.fma::<FUSED>(k(18), k(19));
        let t18 = t5.fma::<FUSED>(k(5), t6);
        let t19 = t6 / t18;
        let t20 = t10.fma::<FUSED>(k(11), t11);
        let t21 = t11 / t20;
        let t22 = t16 + t17;
        let t23 = t16 / t22;
        let t24 = t18 * k(20);
        let t25 = x(1) - t19;
        let t26 = kernel::exp::<R, FUSED>(t24);
        let t27 = t25.fma::<FUSED>(t26, t19);
        let t28 = t20 * k(20);
        let t29 = x(2) - t21;
        let t30 = kernel::exp::<R, FUSED>(t28);
        let t31 = t29.fma::<FUSED>(t30, t21);
        let t32 = t22 * k(20);
        let t33 = x(4) - t23;
        let t34 = kernel::exp::<R, FUSED>(t32);
        let t35 = t33.fma::<FUSED>(t34, t23);
        let t36 = t27 * t27;
        let t37 = t27 * t36;
        let t38 = t37 * k(21);
        let t39 = t31 * t38;
        let t40 = t1 * t1;
        let t41 = t1 * t40;
        let t42 = t41.fma::<FUSED>(k(22), t39);
        let t43 = t41 * k(25);
        let t44 = t39.fma::<FUSED>(k(24), t43);
        let t45 = t35.fma::<FUSED>(k(23), t42);
        let t46 = t35.fma::<FUSED>(k(26), t44);
        let t47 = t45 + k(27);
        let t48 = t46 + k(28);
        y[0][l] = t27;
        y[1][l] = t31;
        y[2][l] = t1;
        y[3][l] = t35;
        y[4][l] = t47;
        y[5][l] = t48;
    }
}
