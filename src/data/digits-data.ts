/**
 * The test set of "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository
 * (E. Alpaydin, C. Kaynak, 1998; DOI 10.24432/C50P49), under CC BY 4.0
 * (https://creativecommons.org/licenses/by/4.0/), in the rows and order that scikit-learn ships.
 * Changed only in how it is written. A line is one 8x8 image and its label (0 to 9). The pixels of a row (0 to 16) are the
 * eight digits of a number in base 17. It stands here in base 94, as five characters: those of ASCII from the space
 * to the brace that closes.
 */
export const digitsText: string = ` )uBT 7jlb!3"m1!JgL|!\`|M8!I%LO rZ?Q +ZVY0
 !:m( !3/^ &dy*"Jh^4 #Fv\` #G!u #G!u !32e1
  NR{ &n)z /#B} "F)k L,OD#(R[<!1*^L  C!=2
 -SrD"cE}l ]48E \$}=S  0Pj   tK .*V| -A5x3
  /UJ  fYi #\${f -Lv{!o^fQ!QV8a  E"<  ;wX4
 5PkT 9\\7b 7vrK 4OyX  J6F  "gs )"KO 1(_)5
 !:]c *3,i 7or@ 96Ro :se2 7uze -\\\`q "bKu6
 ,p5V ,aXe  \$r:!Dltp nQ<s !\\!_ 0tSo 6d5l7
 0o"8 6 j8 0E5l &lIQ (Rz2!5Ent VmeR 4OQl8
 4!!e w1%]!5k_a XWD9 7sbG  <_5  %O6 0^za9
 "bKB 4Kf' vM?X XlpU!R \$P Xvy_ 5iX  "jRg0
  (3r  X\`G !OZJ Oq.g!/2}P  X\\|  O/D  13A1
 )gHn ;(V( 6E(v k<-\\ #P=%  a%+ 1()5 &:x[2
 k)Rl!M?%   \`}P !1mY  ;Xp  !YC F;]m ovg03
  s}6 #2:r 2Zq@"KNFs#(;l5 OghD  2_Q !(}O4
!i560#bVI0"eR#8"iQu\$ H!M3  X8( G226!QOZE5
  s}6 !;3| &i2j +rN\$ -_EO ;<uq &WO@  k\$m6
 "X{h!1 1e!dKOG %d ; =%cf L"d^ !'f_ !.|,7
 1rWE 0Kt\\ ( ]^ #CPx 5oD1 4\`F% NI># 46b*8
 +\`aR 4LDM /0lX "}.,   BB   1B ",|J -_FX9
 &O;l 4P7[!RP\$f!QXMx ;Jt] :Sp_ 0p _ \$b/e0
  <>p  O5t E33O"LM_m &5y)  tu>  b,x  :''1
 /=RU TMUo 105< %>JI  {es &^[e 9N/. -7@e2
 L#MT!,o8j  !Sh  ;\\*  'Dn  %HB ,pd\$ 9OZz3
  &e@  \`Qw (N.7 7,V0".jW! )[d0  #pj  &wj4
 5BV/!63lQ r.Us!keUv uH\$z  ;qJ 'eF0 48w05
 #)JW /B\$o w)F5!5f48!p(k^!66tY Vb&_ &H=-6
  sq<  ^it   Lp h|/g"iST#  &Y5 ! 2L !:\`j7
 25)G 2\`@\$ .izE !E\\e QUJd W%h: 8[#w /+i,8
 0d|E 64M( 5v7m +zdl  !\\9   =M %uED -7@B9
 2UJ&!Rx[|!Qk6P"go4["go@f"gozZ!Qh!y 4MX60
 \$hb[ +zL4 *,mF  kT"   KW   7P  >eo % rG9
 r%*:!oa,%".I8,#(Xx_!'?+{  0Yn (6dw w"e#5
")->Y"iSSp".]z9"/G/D 'Hfx  ESN L,UR!S+G 5
  W*M #'\`U */k1 +jb> XF!u qgdW (N?7  X]Q6
!3_kZ!S<Q=!5JFz w00\\ ,\\P"  1T} *\$1f X*{-5
 +d): ;5pq vMKt XvHo ;]nF W7)w <S+} -\\4C0
 76\$\`!p)v2!RMB: sgJF "/wN   I% )D0! 7ZeP9
 ,fg% 7UWe 1T[B /@=t!2d(A"[<+.!H;@# QOt&8
 N,[d"GmR7"-!%W 0RRE   NM   Bu!07"X 0r)I9
 3rv1 5r\`s -@@w #Eo5 2iBG 8bdH!N]Mu Q@Jv8
  }Ig (P^| ;&/+!RQk-#((@C 1(kE  tbr ! #)4
  &nU  <22 #!C2 p@2|"%ghG  2\\J  </+  EPG1
  }kV 'W:    HP!FNe?!S30e  'ry  {es !-qX7
 1(rJ V\$ta  \$GX!(%Uf"iRm_ %&Ow /;=O 75NG7
 1&r  *pm5  t+R  W-T  %Nr   C} 'c n 4:pU3
 W)s^ w1)(".r*\`!ojJ) 4;eV  XDD +zF& 9B4H5
  /q+  kMr (@:_#E/Lq  EJ9  EPG  XMY  :s41
 % N5 2_;M!5-9Y!REa5"dd U!2w)s 9'I@ (,d-0
 #;e4 -^*a"ave(">u|A!b\`{p 9oRe 0{g= !Dw)0
  WIW -QQf *M-/  0l: "q^}"i-gg!ludd  _ln2
  E"M !0&= !4Md  ?'L  a7U!QSP8 7vof  K:j2
 &HwC 27=E  !WD!f{E"#(Y;\$ Dt]N !1gK (Li+7
 'eI7 1\$8\$ )TEp !?X> ! 5S /97l ;x4G +x'i8
  1an !''T  bY&  \$D/!E4@#"/A}Z \$aYn  14'2
 \$v4D 2kQP!5XoQ!n^//!o8l> X#ZL 4P42 \$Xc40
  ')@  u u 2kH*!S<Py!Bb]G  2YC  2YC  '&(1
  .le !F<5 !7i/  (!7 )mSg"LGd9!G#9w  %Hu2
 !'if Q*\\7 v_w@!Rax+!S.>[!S:zK -ZFe  k ^6
 OdU(!'dnn  WR[ !2Cr  N45  &}x %Wzb 7vr:3
 2\`XK 'Q5W  ESN  2S5  %yT  !(1 L}'& 95jN3
 +^*]!6#HE (XG}  \${q!4R4;!k#4B !;k> (Ms]7
 9ZrV -&i6  X\`6  <%t  ')@  "gQ )Ro1 7wHd3
!65MO MIs   kJ| ! #)  Dw'  %NP O8VL r"OF3
  ae\` #)xb QO?k"hof"\$ x{O uLM:  O&/  k/,4
  z[A -Yz6 7RF7 :@PV!S0\\v vbR# /*yd  _p}6
 !&\\- 1"ia :y5b 8x1: Wz"* 64yy -]/E  }lM6
 )yiY 5GA# 9xbN XFhI X]a\\!66u. ;0cJ (@E/6
  z'( &j=>!2+IC#DO}\$ nR/   k/,  a%+  Nqc4
 +R}?".aa+"Kh|| 4FEp !8|v &gQ} #?#e +B*u9
  (!7 !F&b 2k8e"K_du F<|j  Ntj  ;}f  '#!1
 TqT^!RJ5,"E]'f"gQ\\F Gq{J  '#! \$l'<!2+wN5
 #',<"LMPJ"i3lR"h%E4!m.=C W>H{ 4E+y #<Q 0
 Ru*n!S<23!S<Gd +y\`H   Qv   I6 @mn] p?/-9
 7VB8!pB4Q WuOn 5q(% /D\$D  K@4 "<5N 2k5^5
  %HB  <>_  Tg+  #6C  Dw'"LJOX 4=%)  %P-2
!#4EK#(/}I".(l8 TD=h 2gaZ XBrV <]B< &dv#8
  &Yh  Ek1  sy8  UAS J5p\\#(W^h!(B6&  0*l2
 2AsR!66N["IGa,"a Vg"a BO!iQh2 8eZH -7sB0
 (=3_!4HPZ"bd{N"a E4"a EV!i[A! u7=v *7;60
  1^E  2rP!gcI}!QWt6  tey !)Pa  tbr  :Z|1
 &[g1 7YX} !h1C 0\`Q !S<K@ 'm\`! \$|/x (.2N7
 !(zH -\\1< 7e=; :f>^ <bEh ;@|d 2jLH "b\\d6
 quu: )"|?  &\\o  );.  'W:  \$r) H3^Y p*4x3
 TkX3"-UQ#"x<oF!Ybm: &h\\Q!nK@8"/<;V Q9\\Q2
  2P.  XP\` !<\`?"E\\g !E4t< ! #) !)MZ  CfE1
 \$4=P 92U3 #Gj&   I%!pBAd cJh+  1ys !.|,7
 ! )7 N,LA\$[^\$<*0205!pB(5 \$m1n !132 !1324
 !&\\- &jqW /:g6 5vY\\ 9[Ho 62a' -\\'R  |_%6
 7v_n 09W+  'gv  2e_  (^e  \$x7 %m^/ ;@oQ3
  0DN  O5c #*mc QUoZ oRVl  (XW  Nn\\  Cc>1
!Os*? oH5;  XMY  Nwq  Ntj  2.? Kn}g!pA<I3
 0i#[!R\`67 7m&+  @i/  "f8  !(  W8=q -Uki9
 !3#B !)Vo (S%G#bd<f!bMKo !O;b !2x-  ti"1
 &Hco s?Yb!dKL@  1R: /D2N +xnN !\\!_ )p?(7
 !3,W +xb2 /?3B 7o>' ;:BX w0k% Oq4u !<l[6
 N-oM".UKJ 4=1# Tw9j"gg)8!l<yJ :IP% 4K9y8
  D0B !CW\$ -Xxw!3zmN!on={ +Tt2  2"#  <"m4
 uLC. O\$Uk  )DT  ).p  (6h  &\\< sKH, uJ}^3
 #;b- #F|n -^z[ 7uI "LKZ, QSiw %+P> #4!\\1
  :,O  sz/ *1R, :pqB!QpFK 2X^(  'N%  'Gu4
 "xtJ 1'?\$ vyC: vMN&!QXB !QtaV 7M=c &5s,0
 64_R!5sd! uhp] <bvz 2k8e  /I. \$ZVK 4MO!5
!N0Gn!%[Wk  t+R !7rD  hno  LM: J<)q!4\$'^3
  sR2 -Yz6 8x1: Y!MU!63"e vguP 6(On !(!96
 0vhu 7bgM +dK:  |6u   @T   8% %}3| )moY9
  UFY !N10 *1K| /2G7 2EiE 9\\%8 +vs*  a#N6
  #^@  (9o !)x^ -_Jf!3ZC8  'W:  ([^  \$x71
 \$ZD! 5Mz8 #J+|  7oL!S<XB!#x,\`  ^n% !7>+7
 ;@ri w%AR!REVT"i&R< 64Fx  EPG eCn! XEg,5
 !(q3 4?\$)"IL9T#u]eS!LAqU  tiD !'2F !8H]4
 "h4L 0v4\\ Xv#\$!Qd)e!RsbK "P\$I  ;wX !'f_4
 &?BS!4G'@" <99 '[e#!S<U* L*kP #@.9 &\\F_7
 %)rX +q\$h %mxU  EJ9 #(k)"+wOB#(WFc (#Z02
 'm4{ Z)#j 3\\P0 -\$uJ (Q57 7kH4 3jY9 !)\`&8
  t4g &lP# \$H}+  \$u0  }Ou!5zj)!Q?Qg  |3]2
 "lBw 40T* 4\\M< !j-o  {es qphW!Q?Z| "ty@2
 uLF5!5}tA"KCqK!2]{H #(6n  tPH 1%U"!5o^i5
 0\`LM X1&8 #I"0 #s6y 7w\\Z 7sk: +qwi 3b^07
 !;7% 1%0, /!\\\$ \$w-2  "UZ   /2 \$\$\\M "v&69
 +V,M!S<Jk 5[ { 5|6J "WC+  %KI 'nsh 0lh+5
 !:]c *47="/(l\\\$!13X!Os*r !MTg !M N !1324
 %ldl -UCl &Z"6 !\`Nr %'&2 2'g# 5 NU (H>}8
 *\$7t /D*R *7rV !Xc. #E.^ 4E>E 5h]" *8*K8
  sEt *4kV X+/W"K<ZC"hdlH +gdS  ae\` !(q34
 6/FS v\$R* 8TUS \$w 0  %sF  %m8 -yrv 4Om<9
 &E(V Z+5i!p Hi!oB;2!o%xA Y4pv 7c%a \$ljx0
 ) WR 1{/9 .{2) *)+} 9-(> V=x; 5oxJ -Xob8
 "u91 5|bE <,zl 0{fy  !%*   Qv"i<fW \$PeF9
 -B40 /D\$D -^OW +t.o */k1 />(n 5jx% )usf8
 \$_lC 4D3q :.&V sqU\`!G@&1 4PTf t?.q *"W)0
  #:t  ;ip &e;^"Kn^, !g^u  &\\<  %Qh  \$u01
 uFD/!p78V!jYwD !:)J #Am& 2Yj{!5WEb uLM:2
!64S7 '9mA  &Lf  NkU  '#!  %KI %vbQ!5zj)3
  EA\$ !<D^ /Cij"LD7;"iSJ(  i|J  aYD  MWl4
!S<H9\$!#cn#D/7>!5e]} -[&h !<AW!+r7J!RvOz5
 \$yDY 4*L8 ;yfv!56ED!S;b(!R+?" UtfA \$maE6
 %!Xg /1*9  &U{  &VP (-ZG 4MR( #.Ag (\$e{7
 )n00!6#sI!RX>F N-Sl T|}m!5*\`d!3Ys- +xb28
 *(!K 5af, 3hf" &e:#   L,   IG *Tzq \$m]G9
 5N%< 9\\%8!5KKb!Qay !gmK\`!17%P :x!y -6}[0
  \$>e  (r[ #*}[ 64x,"h6Th _@m#  )>5  \$o"1
 7_ib Z+)M %dN\$ ! #) #BwX Yc]4!oj", Th)62
"/G5R n5uD  (:3  2bX  (6h  #>. %uIs!660&3
  W\$? #;b- 1&_T!p6b="iSQ> 'w?s  r;B  gd=4
!QWx#!S.|< ;%6N *3a\$ !O5T ! ,>!+_}t!p?XU5
  \`Qw %(0d 4>Mn 7VKM vz#= YPwc 4@Ua  }rl6
 &c_3 7w<7 '?dD  2_b -_O9 6+.q !LJ5 (\$e{7
 &P:\$ s?V[!RHpS Tj.w 4N(A YasC 7WDn &R0S8
 +Zbu!S1E[!S)c= lw"Y  "2t   R\\  7sl -^-y9
 \$]#\$ S:6l"KFPN"hJ"| Xv:2 <.xd 7c[5 (?^80
  #6v  %S# ! O\$ Tq\`6!K+Y:  &Om  \$o"  #4"1
 +Z_n!n.5| dLsZ  );.  k8A **jj 4KF7 //M92
 Q.dT Gh^N  "2t  :|I  Nwq  1^4  0Vg!iCfr3
  EA\$ !)i; (S.\\ sAY7#EL+!!i4{g  ;@8  LM:4
 sg\`n"L,f!#B7]G#Cz@:"KCqK S5aK LF\$S!6\$Um5
 !],3 +sXV 4=C< 5cbX ;@f+ 637b 6/q5 "v&X6
 2iyg 9\\"1 "='7 \$Q0)"LM,m#X?:6 +rN\$ 7,#t7
 \$kQ# /B_8 *4P[ #G.U u-B2!h3^4 8=CD &c*x8
 )rT. ;,[> 59GN (7%p   NM   L, \$0QG +S+[9
 *!Uj =%b+!5TEx"K'v6"gxeo"K<%D w&NX -SuK0
 \$gX) (RO. #;[} !)xo  !\\(   O" ':Hq \$vx"9
!pB1[!S/U\\!RkD\\ TvcQ +xX{ !)Sh (6X[ uH\$z5
"/H&3#(8-s\$ 18)#D^Ow!4@}N &lRD G9Ga#( WB5
 )psA 5m/+ <.]z!npX'!RN4E!S:D" X-*{ *#t86
 uLC."L,fC!Q}hL <K!Q 6-1M \$jCH!(Fxj u:.=5
 *7%c W_)m!4\\40"-cjW!4\\%Q!R!x* T_9= (5K"0
 \$hu' -KL7 ,t)I *\$]P  =t{ %,LU R1)3 &HvL9
 +o7_ 7d#D 9+B: 1(\$\` w0an"h+tN!o\\u9 //-k8
 +k8W 9*}T 3T&z *8*:   L=   A) \$QeJ *6hh9
 \$fMU /-{+ 1iU3 \$to8 #;h; 42;% 7(:? \$ZM68
  ro[ #FmK -^z[ XF40"/>Ej"-cFX !2q} !(<x4
  (>1  XaO #!T!!lx|  Db(\\  <?g  <?#  )GJ1
 -_P0 .[TS  "gQ 'cVu!66n\\ &"\`6 !W!: -We07
 "VCk s\\_) *;x0  Bqf %,!s &QAO !BII #@bR7
 Oq+\`!e:C-  /L5  ae\`  k5:  0][ #rd+ X0^)3
"LM]*!ouh\$#' &. v}yb *6OJ  <,\$ JHHx!QQoK5
  '#2  2s6 #4Jr V\`yG!h09e  \$|\$  \${O  &Om1
 +pB3!6"hd",4^'"dZcG"h6{*!o8iY Z*?> *\$JQ0
 !(t: *7u] 8V2u!R 9,!mJ[O 5Z\`y /D15 "Wk(0
 -U(-"iS-r"g"no !(q3 #9M' +rN\$ /?Vl 1(ej2
 S#ty!pAyw  Nn\\  jRc \$|/x 0u** <l(A 2\`4;2
 *5G} (#z1  (-S #uHx 7wI9 &4CQ !RU. +B*u7
 *,Tl 6)2E 5kyB &m1r 0r|9 W81D ;iXp *7|/8
 4!!e"LG0 !k1<v #BC? -Xob 0tSo <v%s 6 6t2
 % E  7wEL!oX[6!n{'0".+hF!5iRy 9\\>V \$lq(0
  0#E ! O\$ 2kTW!pB@m FlV-  X\`%  &\\+  &I_1
 1"5H"/G !"L:J#!\$e][ !VK! -YIW 1'1+ -_5F2
 (:H@ 2Yj{ <K!Q 7>xx!5j3@ vwa# <\`Ta +q4>6
!L-OZ"+1Fi  &\\M  )DC  '2w  "gs "1bi r"RM3
 u<w\\ 2No"  <({  EY\\  '\`\`  \$Gz DVv|!4<%73
 ;/7: /7G\\ !;3| -9X-"LMZV G<3" 0u^C ur=07
 Ogep!khpl  !Ye  %QW  %QW  "g@ #kA\\ :}+U3
 sf9d!I[E#  ;LT  Nn\\  1*,  !\\J "']n S6=r3
  &:<  tVV (IRf 53|y!m#P'"/Gvm  'id  &e@4
  \`X' %(d} 4>Mn X"&s!66Wp!S%1\$ 6.bc  snh6
 #.Ag -VZ\\ 75NG 8[mc!5W<< <e&& 8q?} \$d)p6
 \$smy 2ba5 Y=o,!R)4}!ox.M!S&?C tl4# &e'W6
  ;C?  s}6 #1aA +x\$b 7v\`2#(Y;F!'g>N  DaT4
 +jb> X<<Y v-j1 ;-SW %}iP  "3I  KuD -7rm9
  &Om  E.X !35l 1(_)!Rt_j!*_b3  )A<  &Lf1
 w1)[#(\$2)#')P_!5o^i /AHH !<Jl "ug<!S7\\p5
 (Fa9 sTYP"fA1w!QXBS"JiT_!5-{k ;A!' (5ZE0
 2\\V<!R{=u#E8\\I!.}41  &(V  %R= '?E\\ S.U59
!S<['#apeU#D/7>!5,xq <8*M 6,[4 +wNI!Rkxu5
 &O\`b 9?6] ,!h:  'Gu  ED+ !B}b &l6t &k\`J2
 2EiE 9OTl 5PP7 *%#q &jqW 5c.? Y3}c 4N(A8
 *!tR ;?w8 1}J+  \`Np !8H] #?X  /Aj7 -\\{(2
 \$aS> 2k>s!62Fq".>V5"h72[!oRP_ ;@|  &Oci0
 !J5/ N.05!RL%<!59.B"h75b!o^^3 7w\\Z \$O>o0
  \$B0  Ej\\ +qAQ!pBA1!DmM*  EiT  130  \$x71
 /A|a -L1s #!KQ 4P2f 2iyg !K?a &eq2 5GA#7
 &T&\` 7Qo| <%3I!nz\$X!58\`X!S<[I VQj, *%'o6
 se5@ O\$TR  &%-  <22  E\\c  &\\M -&1c!0T(t3
 2g-A!S<(| o[.> !0(^ #Am& 1 T[ ;<2h 4P7[2
  \$D/  &\\+  )A< !)uW 64hg!oA-\$ !is7  "cu1
 1!*t 4N\\Z !3 ;  toA S:\`F QRka +sXV 3uU47
 ;=kG 'x+=  (=m  XSg  EYm  :_> +q4\` ;(Y/3
  "0   &]D ! Nq 2kU,!RA*' CzV=  \$G6  "201
 RpwM ._K,  EVU  k8A  XMY  \$H> &"K' scyI3
 4K9y".tvS"Jn_v u&^L )<#e  #=H %wN= 7tAS9
  N%g ! OF *.[\$!QWk!!pB4Q !<f^  u\$s  N)!1
 (I{Z +5q{  "2t  D\`; -_>} /8R0 *2VP -D9q7
  r>I #;0y +s\$= -VZ\\ Z)yr S5%X %&=+  b.U6
 !';[ /CT9 *4h\` *7un YcAS Xer| 5]!z \$P+A8
  jRc !Xc. 1(FO w0[\`#E_!P"gd#/ !0\\w  a(24
 n[J. oXAd  "gs  ;h5  Ebq  'g2 (#t#!4%223
  2bX  2ra  u#Z 2kTW"/5-A Bj@}  O)6  ;[w1
  ;O[ !3 ; 1(@A!4Q_L\$!jF<"(D;W  ro[  :co4
 ()iI!5wi7!nqYw"bc.W"a EV"dGrQ!6">\$ /B.&0
!43AZ!S'B, ;for 5GA# -We0 !JiH **jj uD/)5
 )fpx ;)Sz  !W3  &P   2P.  1Qv "3,Y -\\7J3
 !1gK 2dB" Wl%=!5j09"LKQJ!REvw S-:% \$ONE6
 *)+} 9[z# 7cV@ &>Ai  #q.  "gQ  0)d (Ih99
 &^'L 6,[4 Y+NA!4_\$w!3b8f u_]m 7.W@ &R@\\6
  %}t  Xb\$ (@QK!2mPQ"LMlo \$m\`N !3E1  :]r1
 0}%3 =%XA  EY\\ \$4sF uL@I!1&z. -W0u 5m/+7
 7u*8!S0ln!R)4}!5I<H ;8ak (QiP My/z TyNp5
  CZ)  tY] #=O6 /C\`U v{t2#bdfQ!b10Y  ;qJ4
  ([^  t_k #F|n 4Og?"/H&""Jhv} "Oio  1ys4
 -OyJ \$v+/  XA=  XJt!lx81!\`S"K (A)R 22rA7
 u&a \$!bbc!k/'p /<|< /<|< 6+P\` =%\\P Z+=22
 \$aM0 -^b4 +f2W #Fyg -]p) Wb3t qfR: "sO/8
 u<CC!p?\$<#&qn< (M?D /;qh V<9N!S(YO ses!2
 (@+<!66Ti"i-I!!#"FO !VK! +rN\$ /AW| (SDs2
!-UL-!R{8o!Os9Q!5?ou 4K9y !CS{ J]Km!j,?V5
!MGOo!p-)O"gx?O!5\\ge /?g[ !)GL @%[N!OXVg5
  'W:  t_k &drz /:Qt!S)e+"L0n\`  )8'  '#!4
 &Y^G 1(\\" /ABK \$w)g +zL4 :l:4 YWA4 )xtX8
 %(3k -_AQ &na< %*Ej /:EG 7(!e 5U4Y &QZ)8
  X8( #=O6 2k&;!65xd#E_"6 JP>j !0\\w  KBf4
 -\\4C W|Uv uc9: Y%AI -^y1   Fs %L;o /BeF9
 \$txM 2a;" v3Cv!R 3b!Qag)!R*2- X20& &Fs_0
 !;za *6F5 %+uE !3?4 -^e* Y5{( 5SHi \$Z\`58
 &B:0 X3OV"-g;T!oo|F .g6N !pQS .f,> \$l9f9
 *\$1f 7\`[\\ :KV; 4&MR -]v7 7d?%!3c9P +zRB8
 (#?h 7tgb!5eke".4n#">l[6!GAH5 Yb=/ (>uS0
 !EMB #G.3 #G(% (Rz2 4NYS w-<( 7vY\` #*X21
 +bvX".kpv#N:d_!@jw4 !@h\\ -C/? 5UQ  -KHJ2
 2gda"*}fU!Ze!; !;7%  Bzj   @2 06i8 0|[63
 !5]> +i#Q ;pIG!P*A* uLLe \$>.f  sz/ !.|,4
 +,sV!p6CU"i/|m mllN   N<   Ky M>\`} 2_Jp5
 &L:z 2Yj{ t&/j!N0V^!O\`6S!5J!/ 8{@G &QSy6
 +zmz +=XM  "gb \$P1q +zl5 !Tj4 +tc* 2F?^7
 "jq\` T=ut"bg). p,M' *-\\9 .Eip .MUg "v(F8
 +Rz8 vHPD"a";t!Q2"1 #cCL  2Cp  X.q &m(]9
 (2(A 7vi%!5M-5"dG] "a 9:!JgUo 9!=a -Rjw0
  'v"  EY\\ !)c- !F T 64S6 TW1e  O !  (*L1
 2h7s"g5+L#XhW;"8_9K #:#@ 2c7N 5{EG 64zo2
 +q-}!5dr3!HIB| (RI  "c.;  "3' &*@U 1(Xy3
 !CS{ +u9C ;.dl".iKx#(Y:- i)XC !Ei# !NbB4
 ;@}9"/)DT!46|b +t.o !LJ5 !7rD VK:_ 7or@5
 !As0 /4(\$ 8e:6 uhvk <gA) YS4w 4\$6^ # m;6
 (-Fb :vl2 !gvi '[b>"/G?< E-l4 %#dX +KUH7
 \$d"| 55Hy!4W&g!Rifv -YE{ +S{U .K\$< &Qxo8
 (@M<!oN&d"beVm"LD8v +TW| !0\\w !],3 &fGK9
 *,/v 7t2c!oU#\$!LUN&!Cvbl T}g' 5LoS (?U#0
  MKP !)xo &[d* /Clq!4Qkh!S<;H iEyx  M|b1
 T|zf#%r+y!dLSk  ahg *47= vVLm!p!;I O^Fu2
 //h4!h9"H!:\$\$c !aYF  Am1   6{ %TR{ 4O?13
 "n?E 0}J) Xv&M"-w>h"Kh|| jl"\\ !K?a %&Ow4
 3VvZ Yr<V"a +R!lnXN GiR6  "Vs 1V2g 61*G5
 (\$e{ 96Ro uhp]"E]'f"DcHR!QL0N Tw)P )yW@6
 (7(_ 4DOF   Fs !ez_ 9?D# ;@5; #Am& +_W 7
 \$Z\\{ 3R5/!k\\Dc tbV? &kGp 0g3K 5Yds \$ckK8
 1&1I ;\`OH 6c(w (SHO  >v)   9\` 4Zc\\ /:N\\9
 \$cS\$ VMs !nz,2"dGc.!JgO? XQ6J 3i#a \$l'<0
 &=I. 2?[E -!1\` \$mZs   7.   .; 0(]} &,Ul9
 +*[| VLaG!RFa(!R}F_  ".v  ".v +-7E 0xIb5
 %||m".{KI#[t @#'wv0 &!7-   @! (i!n -^*a5
  t"= +t.o 5=tP 6m\`? 5m%t 9M&&!/,x! ! Em6
 FkZ|"i1/O#Q[q0#baN@ '9f<   1B "=fd \$d2c5
 1(7= X6|e"-lvd"bbz-"9\`K7!ba;. ;wBM /6tJ0
 -BnW v*DZ!Jh;+ Rq2I  J\`1  "]# .#gq +pB39
 (H]v ,r3o 3d3x (HK; +p<%!NAN/"EieU -LVz8
 (-Lp!oMwQ#l}?]"/+e0 %Rb|   .L .X!G \$m]G9
 )oSM rim!"Ihx6 G1P4 &dv# :Z>? :2JT (@@m8
  gd= &^[e 3u[d!kJ3p"I>@C!2m73  k%u  a_R4
 -58\` 64J! 4Od' 64Fx 7w)k 7w)k VaTD (+.U1
 +zUI 8ugh !gsb "F\\' 2j;F *&@^ &HyB ,hJ37
 "v)p 7\`/P &o2-  ".v %"XZ &R*E  gd= !>SV7
 -Uu !Ri 3 f9?, !E{M !2oK  !%n *5qF -_Dz3
 +fb. 90 =!6/a- n,!}  \$4Y   v( %u0" -I=?5
 !'f_ !ExF !b8t &nHb -_8< 1(_) 2kN8 "8@t1
 \$ivD 2_ii ;g%\$ uht}!j"z]!Jg=Y 6h : *#9o0
 )wcv ="?J!nqG^!LL#S"a ?7!ly6z <1wy *\$G90
 uFxH#CA-#"|y>1 !9S1 */k1!3[/\$"f^O2!4R4L2
 *-\\9!5RB%!bs6p !%QY #?X  0;:J 48!J +zh72
 &?LN 0^p"  !(u  }E6 #G;F  ae\` !1gK #8BS7
 (6}s t;g^"feyl!S:fw "b|T (95_ 0Fo1 &e*^8
 -_%p"Kh69#8'K@ |l#" !9S1 +s\$= 6&iH 2kV#2
 (3|_ 9Z]G!o%_g"dG] "!feE r.oU 7Mt? &l-N0
  &VP  <>p !3?# &na< T}8G".c8?  '2U  %KZ1
 nX}D#'tbr\$K=jR!yt\`Z &h(8 7[<O!5a&+ uLEa2
 &A/\\ 7\\G#!*:(U  ?6+!I\$Md".+O} :r>( \$mZQ6
 nZa8#}_UQ } x& \$}ne &nX8  -<\$ +PNW Z+9E3
 -LGF v]+< %Q%l !)\`&  D[h  !(S &G4i +x4'3
 *8-* +21B   =_  @4t *8+B 'eFA #',< &fGK7
 r\$vv#;sh- ?89v %+hv  gb\`   @v )PZM ;?\$73
 Opz="H?uD ?B1M &m1r "t|X   Fs ,p3g ;>Gn3
 #/L; /<|< Y=s*"hA+K#E6Ge!2m73 !2u& !D^O4
 \$_8* 5oxJ XP4z r%+B v#]m <l\$! 7-=8 &6"P6
 \$kQ# 0cqq 6d5l 9o7{ :b0U <Oo\\ V*'B &?IG6
 ##jb *&@^ 54I} 8RC2 <]=G 9CMk 0lBb "O1G6
 (M?D 6"ZH YPf0"h-Lj\$ g0("LLms (OTJ (M?D4
  }yO 2HFZ!kAC"!OME; !sXB  N1. !.Gq !5]>9
 #:Z\` %+eo +zI- /Cij 1&_T 4N%: 4Lxf #4!\\1
 \$PwN(]aKx%7?k]\$xv+d!fauL  &FX &5id %+"35
 )G@i 7u9[ Y>-@!5-.E!,(FF 4P]7 8P(/ +x_+0
 &[Te!3]rF"]Xy7!45i, \$!^s  qe) !PtA \$d8O9
 )H9W!5\`,F!1ej3!oy)K #I}\`  "Sl +-hW -=X_5
 4O?1"i@C,#Vq(Y yWT@ #:#@ 4=wU <nJZ XF\`^2
 (69s!NlX="D.w]!S1gJ 1(Od 1fTA 3e?2 \$w*M8
 uKJb"e=/f"89QQ !:]c /1p| WF75!RSf/ uLNB2
 &?9> 2h/f :@so!4eFm!JgP%",*W\`!3s!% )nyz0
 -QiZ 9[07 Y6lo!O|wE!+}!p!+}h" T/{J +n&}0
  :H0  kT" !3)P !Xf5 -]p) 7u}9 /:2{  CoZ1
 &?Hr Ys1y!gqhY !s^P 4P.F 4<^U !Tj4 !RU.7
  N1. !AA| +KUH .\`\$* 7No,!S.Uz JT\`z  k\$:6
 /0D[!RsR1!D)u8 !ODw !3ES  !%] '}]Z 4P\$m3
 2k8e",}|,!!l,= !'f_ %\$o, 5=tP <d<[ 64y#2
  %vM  )>5  kAV !Er8 2k#4 ;@Ym!.E:+  %}t1
 &R3I 95EG *<Q.  '#! /'ga!pA*c &f{d .|E_7
 \$kMz 1"ia 9T!^!o_52"LMlo /:KU !Ksz #D\$,4
 &6\$> 5Z8' U(o6 sgl5!QNJ' Y6t8 YT|y )[.)6
 64o(!PqRz #M|h !<Jl  txV  #qr 'M@J 64bY3
 !;nE !F#[ !OQ5 !E{M -_%p Z*x* /Cc\\ ! 2L1
 l\`o4"I{*2 ?KOb !Tj4 #FU\$  -;\` h6[8 r\$<O3
 \$Q5/!5AMl"bdK3"/":] #r#!  1se  z[A #?X 9
 #.v" +z<o -^FB +ycO +ycO (Rw+ (S(N #=[R1
 +pvL!5n8V &veZ  < * (@Q\\ ;;M, +qCP ,qtd7
 !2x- -ZV] :@PV ;hSf Z+Hy 9/R  2e9f \$Z^%6
 &3^7 TQu+"haFO!lxS, 63vm!4mkP!RL\\\\ 1's=8
  {1Z \${Y_ 4>\$6".+b|\$ T8\`#(Y*\$ +K6\` !)Sh4
 S6k}"C!\`L ]v|= &UeM 64YD #J^8 P;ja sg\`*3
 &kGp !b?\$ !F T !32e !<Pz &n9? *7"\\ &Q;A1
 \$}ne 1"5j thd/#DF"z"/H\$V +^\$O !W!: +t.o4
 &V;f 9Z{k!S9l=!mSq\$"Z/On!f*J8 78hh \$bp<0
 )fc2 <Vj?!R4@=!QWaj  "3'   Bu  .Dy +x\\\$5
 +^6y!L}t^  /9i !<Ge  @ed   =+ .<9u (@A 3
 #%KO -D9q 6d5l ;]EA!5YmV!5_<\\ TG@Y #!CT6
 &>l\\ tvbE"dI\$+!1*j\$  'y)  iyC #6af %#0?9
 "j}k /.&@ ;U%B!/F/.!LOT\`!43Ig 2dSw  }sA6
 /CAm Z*{1 w-<( w.FZ"/EsM Z(+b =!nj -Tyo1
 /C\`U R_Wn  EJ9  a_R!L8n;\$!i5I +U!y 3Y3]7
 p\$ {"i=Td"hS\$["LJR_ \$*dP  %NP "P*W Z)9=5
 !(<x #CMq 2ba5!RE\`\`#B99r\$!WK: nHCT  tVV4
  hno &UeM 3Y3n!Qu4h"i,QL oe>M  aYD  _xW4
 \$mVd 9Qfk (YO(  ']H -LX\$ 9[!G &^[e (@S97
 -6}[!mYU[#LV)z wLO, #\$u6 3v+M Y-;l 4(d52
 -Bzs!5&0l"_GXe!/2zI /C,< W9p !5'uV *%0@8
!4P#f#?nBx >qP4 !(t: 2ckg!56ED!p#Ls qe(\\2
!1&Es#C\\x?\$c7JX  X5! #27Z 2dv;!Ry[_ w/w\`2
 --xB"hh9z#Bfv"!/DZ]  :^%   Of #r-\` 2i[!5
 "c1S 9(ZU &o8]  \$GX +U O Yv/B \$=t. !7>+7
  W"b /4tB uVsO!S30e '9o/  %8}  ;:*  ^9j9
!Hy%!#bM"(".Q#p 2Y6b %%EE !BII!eqIm!6%\`A5
 #8BS +s\$= YG?9!n{"L#au{M"/Gc] #1-( %);84
 ("]3!i|^J"AXm| N-Vs .I'n 4Q<T 3FSV %"T\\8
 &H<G Xv=l".ny1 k*MH &[Q^ /w<' 3pR* &Hm&8
  a_R %!OR ;9>g"KONs"L9kJ J?3x  k23 !(q34
  8JI -Q=_ W m,"eF@\$ Ifmm  #3<  %p?  'v"9
 )_\`1 ;@o@ vE'w"(WT[!/F@.!4RI[ 7MD\$ (4\\/0
 #*w^ mg9)".#rC 0rK' -[[# 5Yds 3tV| #3E58
  }kg Q*"T"*<M2!ox>E &!e'  ;:*  z[A !%QY9
 N\$v."&}fM !gX# !(zH  j_!  "]E fPj& 1(_)3
 0vhu!4HA7#@XG}"a Q?"Z/b:!k6c] <,FS 1(!Y0
  'ge &?L_!pBAS!H@>'  'gC  '3*  <?g  0W^1
 -Ex^!p?\$< r?l,  X.q  tPH !0\\w 4Nsy -7A*2
 .z'w 3{]H  %HB !O]Q  pX4 %,XO YC@  QB(\\3
  :/V  }Ln (S.\\ 5O?3!k=hL#&Ni2 hk:&  0f,4
 5t7C <d{U <d)\\!6#\`l  &Lf  \$ky V2 * 2Uu*5
 "tJ> 1&+; Y*x("K=>U"LMm" <\`Vq 1'ge "te}6
 \$_Ne 1(@5 7?<4 3+TG  &FX  t\\d !VK! (K*>7
 "B.? 7kk< 7?7r *.&6 #4IY 3c1S 0JcX &;*q8
 -J]D X)3+ 7YY0 (>p+   EZ   Kh"Kf:/ L,du9
 (4@N u9Kf"./)K"f6\$|"a Qr!iRZ, Wikc +xe90
 "YHl &nX' XFY&!/<S8  to0 !3?# !3EB  VcW1
 -;CY ;=b2 8QAs *R}=  &wj  afF -_Pf +kUt2
 2gaZ"i@0\`!3d.Q !3)P  BFb 1)C* Y&C* XDr<3
 !,2k #@7N 2(}q r]@C"cP6M#E^x) !132 !-qX4
 KX=Q w1*A!4e,i!pA<I!e;_E  'J| :xeW 4Kn45
 \$Xc4 6368 <8g{!R:g("LMm3 YoqI 639a \$Q"c6
 "U'' /As@ 3FW2 9ygG !hS2  CZ) !@h\\ "m4q7
 )b)a!5aei 8:EY *-_@ 2\`O6!LQ+c!,UO! +;}|8
 *4kV 5tfE 7&J/ -LWO  g(( &o\$4 WpyE )dTm9
 &E\\o VN>X!4hIM!QXHP!QX?]!4eL{ 2\`I[ #<Jp0
  X"f \$w-2 /D1F"-cDj!&7{B !3EB !<os  \`sw1
 0O<""i=sL"{6'%!dt;:  WXX \$i?5 2jzb ,w<e2
 &P3t 2al4 (xLY  )DT f+%#!iR)+ 9)0n &F|t3
  LM: !<W* (RXC WWb}".Y;@#E^u"  ;wX  M)a4
 +,Ao Z)\\E <%gb!S;Uj F;G4 *?*# 5Yn* 2S\`\$5
 "t\\h (Qul 6,[4 w.U}"LMl^!3?=y 4O.S !:yU6
 \$Ms= 1&F^ 7,2C Xd*X (X\`5  CZ) !7>+ !GIn7
 "tYa YpqM##\`^q!iUMG XFY& ){s) &\`9\\ !3,W8
 &X%h 2Vy_ 4xoF +pkZ "U5] #GaD <FH2 -8P-9
 (<)- 7wHS!R#('"dHTS"-cpC!P#-: u99< (2\\Z0
 *!wY <Iha 81SP 5:S; *8(L B<ee W?H] +yT_9
 VC41!Ri*a"iQCp!)B,q  \$ek #K*4 <5\`{ 5}G,5
 L\$*P"L%]V!Lh7B!S:H1 hN5g ,"5> <R[r )w/]5
 "au: 2^+b!56ED!pB.C"Ky4m u|0# 2\`I}  {{F6
 3s8v =%bo Z+;w Era\$ !d>W!-c[3",sx9 0oYX5
 2\\"# v{z/!RHs8!gm?w"[rK;!gm|P!Lxk\$ 1&kp0
 1%X)!ogF0"*J|} WCI1 -^xm  =;:!2'F= 64oJ9
 (Gqy Ym#h",#Mk!4?5L (S7q 4%}z <Hgw -]QA8
 J==Z"F@Wu"#S#/ T\`I}  Fha   F@ 5pFx )p,m9
 )kv# <@f- r4QI 0sk, &e\$? 5RtO 3\\Pc 'sn!8
  W\$? !E%E -=LC uni,"/+dl hk=>  E7m  hno4
  0A6 ! N> J[ak!S<Z0  Ei!  <?#  b,V  E+Q1
 "Vr_ -[|d SWCZ!2o.7!a\$(Z  ;C?  sEt !@h\\7
 +Rga uKD5!50le"ITG) AC/g #BwX +sXV /<H#7
 +ohq!oooD!fO]v !OK'  qbU Ctt8"K>:[ L@>a3
 %}'P 1(st ;tfQ!S<;H igu6  \$bd .z?| )uvm5
  XGK (S.\\ uL3G!E4wC  a{3  b :  b)\`  NP81
 \$|g: q[x."-msr"go4["dZ\`@"*<>  V7h< &R*E0
 \${Y_ -Kgv"ID{y"-m1>!JgL| 4m\$& 0hl; "\`X+0
 4?XB!p7lo 9,X3  Nqc  Ntj  kE2 4P:5 4LV92
 6#dz"-;xk"8/{i  &@J  ;@8  sH{ 62KC 09Th2
 \$asc 0{+\` 5>0v Xe;: B8ay  M#S !As0 &]Q37
 &+.Q!3|K4!R*q| (H=1  b,g \$|., (Ld6 !)1y8
 -:m@#\`X#i#njZC!=/dB  (!7  NkU 64mK 0\\IG2
 (G:Y tRGS!QXJ\`"#KZb"Z/U|!gm<p v5\\G +q'o0
 ,{A7 0}J) +t.o 1\$JN  \`Qw  ;wX "2\`< -_Ph1
 -OyJ!RVv" r,S9 #MmE  'Gu  Wn+ 1(t8 +kz72
 !0\`  /?sw %Qr_ ==-{!pB;# vE_l 48AK "k>u6
 &4\$i VE&Q :5\`w !)Vo  jM*!>l!A#E!oA )nvs3
 &Y[@ vLR1!K.Jg k*\`% !.z- *8SP 8{O& &R3Z3
 !'cT +kGP 1aeQ U)74 %/9s  0i3  _xW !I^t7
 (5N) :c=l!3)=T &"lR  K@# 1Ea6 ;tc} -A2q3
 * j  YlSL qHeI (S+U #pO%   L= 3^1a /'&F3
  Sbe #:2c 0T&t t\$aI"c<;G#bd_*  E7m  gd=4
 !;k> (Q8> VP;&!S/RD"LKX-!5o]r 4NX\\ "aD[6
 % N5 60]C!5I<H!6!EX"iSRh!p3A9 Thj@ &GY=6
 \$ct\` *5N- ;\$\`5 vwS*!S:wf!RbuJ 4M|h "WD36
  JlM !9S1 (6^i 52uN!RWkV!L%}V  )"T  ;tQ4
 2iQj"F6P{"zd.z!Q;S4 \$\$/}   F@ 5.9\\ 0j7D9
  <;z  u\$@ 1(kE"LM_m  tu>  kJk  O6k  'gv1
 (-[/ ; %* u/op"/*%L"BJ7r  #9l 0&M( -JGq5
 &W}Z sA@n"(YND!gm<p!N0|m UGE? .z!6 \$|mH0
 -HyP!p/C["B;/\\!NyE? 0|eu  *;! 9)b3 0hY^9
 0iDd <d}T!QWzD"iP9> IwL   %HB 5DtJ 2iK\\5
 2Fsw 61'@ -L%W  ;nC  ;nC 'dcY =%Z@ /,\`\`2
 "JT* 7GmD 6t?0 &d|1 (HTP U<dP npbC "ga:8
 7\\{<!S/q,"DI)5!#x#K  {es #.v" V^Pm 4)9W2
 (G7R 5au\`!-axG"a Nk"a EV"(Wd1!RB10 -@J.0
 &j=>!QN1+"h1Q<"."3g"]W.. Vu<: 7aCJ &5y\\0
  XJR #*^@ 7w6)!n]<- !)\\} ! 5S ! Dv  W@ 1
 "sj@ -S(M 1k/? XP[< lye&  1BS  sEt !S_\`7
  ||c +x1  YPf0 v2?R!S)P\`!6**N 6/p- "v)_6
 -?me".v;_!'Jqb &dy*  g-r" \$:6 ;}T\\ +q-}3
 3v_f!61v3"'ddR )4n[ !.|, !S5S 7uxf RpOP2
  akn !F)i 1(Rk!66N[!pB"' ! ;a  u S  MEd1
 +ld% 2U4C 0EdL ';Fe  ;FF !.Gq &e<w -C/?7
  \$(=  a7U #7cX 5@\\h!oZp< Q.}r  \$bd  &@J4
  |vU %);8 2f"m =%H|!S%6L W=0P 2] ( "bYL6
 +n#v"/+2c gJ0O &ml;  C \$   RK <Q*\\ *7>=3
  &wj  Ei! #*mc!4Qx& %wE(  Nzx  O/D  (:f1
 0EoO"iO_|";sc&  t_k !)rr  !Vo 3ncf /17]3
 'vY@!S  !!m#-c!4Hf> )OIZ   F@ 0z"S (,?Y9
  kXB !OgL r\$y}"LM_m !)\`& !3;z !)y" ! B31
 'P%[!S:FC"-wFd!n\`wF #MmE  ;C?  tPH  hno7
  \`gJ /Aa"!5z5n"/Gv:"i0Jh vCpS 2\\K[  sxc6
 'Ofr rhs^!CvhX 8j.P :e}v N/Q  4cE: +?!!8
  T9  \$uTt +d|;!32@*"_B}6#E^{R 'wZ]  pZU4
 q{su#xRlC!WO|@ &dGv (+D[   OD!5EDV Q.mi3
  kJk -_AQ!66Zw"LMSQ !38s  kT"  b-M  aSX1
  eO7 #=XK /&x*!4uN2!O0Q|!L%pT  X.q  MWl4
 &9Cv 2X2>!2}L-!Jho""Cxk5!N1\\N u8{l )x:10
 vg&o!5N!r vO7B!R}qc %3&Q!uSla#YL\`j!/7-{5
 +d#,"/4]6!eXGp ! Ao  "38!@Q93!myE9 0xIb3
  \`Qw #CMq 7[ph veW5!p7iy!5f/T 4LBp !2_d6
 +Q\`A vz{w"f:Yz!3EJO 4O\\< '%Su voGe .zYM9
 !39& *4i5 thX4!oU=}"iO+c vV+  4OyX "WRN6
  N%V #=tN r%(;"iSRh f}?,  O5R  O5t  O311
 \$mb{ 0xh@ 2)\\m Xw+5 &t1l  N1. !Ksz &^'L7
 KYNU!S9c[!Q}hL Y{ D 'xCB  '&(",}Ac T{;y5
  ;wX !)Yv (Q/) q3P*#(Y:O aSg2  (al  'N%4
  :\`h !%QY #9:[ 5;Ci!oyw5"cc3p  )"T  )(b4
 #yl7 63g< Ut_o ;q;A !fxS  9\\D !&'r !RU.7
 Q1=I"g_=R#8\`!)!*eK= !-qX \$xn@ r#8M RpZS2
 &4Lf"i o@"GBmA vL}F 64A. 5Q'X 0Z*h \$ZjR8
 Q'<]"i)=["=rL: ?8!>  UCR !.|, Vb#6 7CkF2
  E+b %"WA 78gq *QGe  \`U !(PE=5"-BK&UaiW2
 4F8*!S%\$"!Jg2x"/6r<!-/HA  ;k< o[bW 4K9y5
 \$9dl 63j0 8o,e 1@YY  :i}  yPm !HTB &[pF7
 &4Lf!R}R{"bt!w"/4 n )8SN Jn|* v[E8 )nz-9
 & 81 r#@Z XFhI!5ak3!6"_O .#6_ -TgE \$b)W5
  '>\` !1?N +a4u rE9U".tKO gW{w  &wj  (I44
 +=k' 9#Xu!P\$7[!66Zw 6!_9 4_,. <#n= .v=m8
 *-k\\ v_uc v QE S:L? -_,  :[R( 9670 *"Mr8
  UCR !'f_ !b?\$ 0\`a\\ u{Hy#(FBv!(%oY  VN&4
 \$Q+x 8rZI ;}!: *\$)Y  !(  %89u u-6' &FpX9
 \$bd  :v>'!R jq!JgL|"!fhL!-k?. .xM: !'ot0
 )wm- <Ri8 XwZ7 1(nL 2jCd!mA@R"+\$'+ -Unp8
 )xqQ vLt !N6^r!Q(*Z ,}KK %,LD 7Aav -LGW9
 .n9O!3bB.!-c^\\ 3tiH (S(N ,t\\| 5]TX &1aG8
 +o4X Wi0g uixn!Jh4{!G@=r!JgaX T8G" (,,k0
 -D9q %%y^ \$|/x %);8 %+_a  D } +StU *8-.1
 \$jCH 4:?C :D7& .60j  1Kh  k%u "|w@ #=w)2
 "b8v 9&hy!P!F. *I*m  %|l   :F 5Ie* "lZJ3
 #,\`z /'yG XrR'"G]1!\$:wU="iR#@ !Tj4 %%EE4
 0sq\\ 7#u' ;Y3m!4EuD!o8kG!_;V\$ )?#q 2g-A5
 #3NJ 1%0, YG;]!5hI>!S<AV WI 3 4-6- #!T26
 0|y| 75&J \$+RL 9Zy} &WF: &f{d 2b,z 5Z8'7
  X"w !7a"  |61 "Y?W!3bDO"D 1& 5\`'?  \`9?8
 &>\\u!2.]#"]XxQ"\\#XW XB[7   0m 'La- &mua9
  }\$q 2HHj r%K2!E[@7!\`|J  m"kr +DhM "uyf0
 +U!y /;qh +s\$= &_2  !&'r  DaT -%Ri +zm|1
 *6RQ Tj2 #%W?z#?5Ze }NKd !BII %,%> +yUg2
 &5,6!RQia"dLnE DaZ.  ;LT  !!N 5>mq +/.Z3
 &gQ} 5nI" v-90#%WS_\$!if[!*2<o %\$:q +^LL4
 7YM% Xy*h!LM#F!lIY[!mT"G %,Fi!1^Ni Mxe}5
 !3&I 2gaZ ;]EA!k7|* w/Az t&I] .MM' "sn[6
 )fpE!3}Y1 &ti. -V%L 1'B< #.v" (L4p /:g67
 ! /E (DB| .npo /BY* 4N%:"*Uuq!ojrj &!K#8
 #!Li 7A-n!N1'q"'h#z 0Z39 %,I= <j]8 &Hg)9
 *,#Z t\\'6"[uvK"Z0ll"XK*) r%\\v 8kcu (5Gy0
 /(FK -We0 +tc* +vCu %*Ej  tY] 5m.8 -_P\$1
 &Q>H!QD9T\$8;sl\$P#gB ?&A*  }Ig %"Yy %"Fg2
 \$X%d s!K\$#=3 e!y2"p !%QY  /=# *zbk #!SL3
 !.Gq %%EE 5SAB",<6J#=ZQi#EUNM!(PyV !LJ54
 TjHj!P3HB!M!gu".{gL &o/&  !!_ o Ok QSm 5
 %!Xg 7i<C!o8F/"f]ex"iSL|!R=+c 4!z0 #!TC6
 (SIF (*j"   Of \$;)C -C'!  EG2 !(q3 &j=>7
 \$l6_ 2I'v 0=zT (I\$[ *6OJ 8W*} 6x%o &>w_8
 .z3\`!h%X2#N83x"A Rm Q+#q   -w 1X:k +TuK9
 (HK; Up}a!iR.1"&s(f"CxpL XG6" 2: W "sI!0
 \$Q/2 7Wy:!N>xR!Q1<B +\$7v @Sxx"fl9  )fGQ9
 7w]@!RS]<#%xXa#bcW; B4T4  \$u0 3b<A XBrV5
 08w9!3^&_"!|tI"/12& f(R<   7? .4V\` 2We:5
 \$mGA 4J5U v:+8!oU=}!p@4| Y&De 3m3% &e:E6
 .|C> :<j(!K fT"ercT!%.<"   E8 (iQV -U!}5
 \$Xf; UyBV"(bIb";E@C">lI. n[sw 5-\`o &R-;0
 &5ET rln\$"D?%B sf*A   Q2 B28:!mh8& (\$+T9
  aG< +W_s -'6: % ZQ!0bSl"f:u[ -H,n  VKA8
 \$P!F W^\`#">qcW";j,7 u>!: !ut< )rnC "l(@9
 ! 8Z &_.w -4S\$ #F|n %*Hq!5E4+ 5ojQ  syZ8
  {1Z ){PT 9p9m!iY*\`"c*R@"-a;o  {1Z !-qX4
 )z?r 1!_/ 6-ef 6/zl 1%U"  tVV &"Lj *8-)1
 'x.U 7\`n[ #T)a %YUR!pBB9!FvCF **jj +sXV7
 &e:x &VjF  "\`* \$G@, -^\$u  p&< %#dX )frU7
 "krl TIPY iW(z  (w?  (*]   qf 6w5t \$Z6l3
 41Rs!k^V@"@\\cm"gYa( f(\`y  !(  K)T^ S7|_5
 %%EE (OTJ *2VP /?g[ ;?I- ,pT_ 6*Eb \$O_H1
 #:Z\` 0\\M# VoE7 n\\^l!dEvF p@gj 6I{T #*z20
 *7.x!44\$ "GKg5#r+uI#9bJ|",!!W UeF& *.W{0
 &=<p".tm>*@fqR!=0V<  UCR  pZU !8Up #2_:2
 \$r/.!24<T#S[k&"wEhc Bp'"  xzT !KM; #4L\$2
 0sh% 1hbu  '^? p6xB p:r" &[pF /'p2 0N1N7
  \`[. (/-] .:Zv \$^XZ #!=\$ 7B\\A 0OR}  U?e8
 -AQY"J\$}-!m<&K !iQH  167 !#pl \$z't +zda2
  i\`z -QU  Vu>l!JgY)!ba>W!N0xM Y92T \$Y<T0
 2<>r /;=O 1  B 6.<! 7sh3 "kT& -9U] -_Pn1
 &Lo5!3bxh#6L%["_qve  Uwk  p&< "{v5 \$uv72
 &HWS 7u!#!5I<H")*nh"dlm5!R'5J 3|-1 &Hs46
 "bp8!O7SS#su(=!|n'\\  \$:x   :F / )#  u& 3
 (-T9 v'Ku +|w@  2S5  %E; #GlX!57A9 &HsV3
 & r| 5|Z| !md\$ \$<g} 1(\`  "W!< !JiH %%EE7
  aJ2!LI\\3\$wtKJ!>|T=  kDn %Ab' 6&t\\ "Y233
  icp 2H|a"C})Y!{!7a  :H0   C( )K/W  }yO3
 !8|v (Li+ :B(?"-{r<#\$Mb%!pApb \$XVv !:]c4
 !)Yv 46b*!4e,i"]Vel"/1{, r)I2 2!"%  u d6
 ! /E /AWk vCUi".?7@"iS7) v5(P 0c6   u\$s6
  t:u /!h@ XY_M!I\$P'!RrAq VkoV 2"Zs !2M)6
 &_2  V>NT!R2@h"hea|#EL*]!-^2o (NIv *'K24
 "XWi Ul#\\"C|mD!OJ}5 "!AS   I% 5SSl \$>+_9
 &^[e *47= +u9C p;|C"iHJQ *]WI +,xw \$mbi1
 Mdyx!37*|!hTHn!p-M= Jff{  !UV *Pk> 4N(A5
 !\\Ux 4P't!RiZZ"D%x0!G@@F r&3  0-no "u)l0
 +IRl"H kU#4ZA,!Mg|j "*so   B  -rln +g3A9
 1(h\` s|M;">m q"ai|y".Q4_ B2)} %Rw% -\\{(5
 -So=#(OK'\$ _XZ ,783  2V<  ae\` #=jZ *6sT2
  \`mX &i[+ (L+l !3/^ *\$r=!36?v s2%{  ^jZ8
 0{5#!l!hU#t @D!BrV\` !#pl #4L\` 0NDo 4P:22
 \$YgX 51F&!I(w,!]Urz!Z-fb 1)69 6KXe (Pb%0
 #  & TJ)y"B6j3"VgW!!Jga% 9fon -!_' #*aG0
 )qIZ (Ms] (L4p (M?D 1% g \$YdQ 2O2g &Hx<1
 +gja 0@hz  ('E \$Q@T 7u*k &UeM +rN\$ 2EiE7
  \`31 -Z\\k!3"Iv"':L>!R|/o s}y\\ 0F?Z  tA%6
 "MZw!RrDV\$N<lB"8&#-  :v;  !T, )V50 "b]c3
 2Yj{"LGd9#z4/\\"]4mW !\\!_ +hM8 <ii  /D3_2
 +sXV (O 1 -\\eU 7vSR 7mcH " 2N +7P, *.\`>1
 (5y\` +H2x  \$@u 1(sc ;\$Ao  r;B \$q\$Z .|yx7
 \$zO- 2OE; 71V"",bIH##&c[#(WqV J_\`s %&Ow4
 \$mGA TydC!oTgd"KM=|#(W*O!o@MT 7P_< &Hfv6
  \`0* 2IY* 5@PL  1se !(wA  ,d? 8yM0 \$3:E3
 \$xn@ (L4p (Li+ 9V6  -POc \$Lu? =\$xe &e8%1
  a7U Q5 p#!mr1"\\8od  W-T %/:7 0ZgA  _s@3
 )doy!Pe=;"XMG^!I4%0 u>V(   I% Y>6w (\$.}9
 (Bh? &j=> %(d} !\`Kk %+VL  Ww@ (,Q* \$mbf1
 (InG +63k  %p? #uq9 uLJ3 /#F& #@.9 +U!y7
 !3&I 1%[0!5\\3L".y' "L0dv WQt\\ 0mqD ! Oy6
  i]b %'T= ((}] %+YS *7]% v6"y 0X^F  aUF8
 #0"T / <0 Y\$j["Ee5n#yTH_\$>o=  &G:U !U@M4
 &>\\u!O%s?"_\`>_ ?g9w  'T3   }O 03.t 'wYD3
 *6d{ (S+U 9\\%8 9\\%8 4OsJ 2k;l 4P1^ +zkO1
 !T5y *&iR 7-\\u!N?})#AJ!|#E^'| \$_8* !\\!_4
 (5\`S!1H;V">ljH"S?,T"VfOT!+}je 4yio *6OJ0
 .{,= 5!\\0 ;V2{!S'Kc &o#N =&)C"*G)= /0rf5
 \$ExL V.9Z##U4' #uQk  _iV   =< 99*\\ &4rS3
 !EA& 4KzP Ym)e!oAp\`!p@oE tc9k 4-*U #+ t6
 \$Xc4 T#kf"%30_"ukS\`!2_V8   Bd 3P)- 'x+=9
 !32e 1%6:!5?ou#(5cL#Dq(5!QxeB 7Vn3 "v(56
 !CS{ !O8[ #=F! (R}9 *.H%  '/N "r42 !3H71
 (6}Q 7<)K  %B4 "EdA 4OI= \$Vv+ #.Ag */k17
 2D's!PP@!!dESq!pB+< m7L#  !RO &}S* =#R^5
 !8|v (Kzk 8_\`q!3(?>#829d\$S/F+#(KEo !JiH4
 !'2F (Lrs :@zR"GO][#"BUj#bd6X 'ndE !2=d4
 2jLy!O',/ "3EU &?N+ 61qN +qCP -LYp 5Z8'7
 +lwD#(Er8\$SgsS"|fPB \$G@_ !B}b (P|N /D3d2
  i8} .jE( 4d*e 21L. J\`kG"KU2w -<y1  aPQ8
 2k/P#(([\`\$/S}O  2M'  ro[ #.v" 60w% Vb'#2
 #%KO WaQ?"|J%V kXO3  9!{  UCR  zhE #=sU2
 21g: 8gO< ;Df*!6 L&!1ZGe  #gU &*Kz .|yx5
 )R:e 5h,T  #q? &HDT -^Uv !&'r \$yxr +^LL7
 (4Oq!PJY|!Qh%" OoZZ  F<f   EZ *q/G )og!9
!.}0w!P=H{!gl}e!n79I!hGvg   @! LN;N uJwP5
 &\\zx 5dND uweR"_}'N#u+;9#bc>a J[k" */6v4
  DUk !8ba !87;  j=C L#1/"*>]v -1=#  D'O8
  CAO #.or !\\t\` !O;b &Zo) XqrW (0*8  B<i8
 &_2  0apr!4rGv"I8 ;#?nf""LJ[t &h(8 (K^W4
 *#n;!3,?p!gnS\` tg-, "!J5   EZ",4)( JOpo9
 (? h :bph!lzYu!LLB;"!f}l!14b? 5K1* &ZD%0
  :TL !9P* ->Pg *7c3 &n?M s P& P\`v4  U@:8
 &PqD 7PbC XkI\\ U}sx \$7XF #ZaL 9BWr 'c#B9
  L|+ &T{- ('HI (Qre S/"9"(g_8 2I!y  KuD8
 -^R^ 9XE: WvC4!QX3c"E]HM"Cz Z!4+4' 2j\$|0
 )X\`7 !b[' -_DX 2k/P 1(@A 2k#4 /C)5 \$VAp1
 nZa8\$!\`Yy _SKM !(<x (Li+ 5efo =%b^ 9P:J2
 &Hp-!4QV7!-sQE ! 5S !)z*  6+j \$W{F &nNp3
  (UP !)Yv /94e",<\$1#(Y;F!eb-.  1jP  1jP4
 +]u+ 27W| p@HO!Ik;5"L7Oa I-Q0 )I\$] .udM5
 !>SV .|yx 5!Ry S:ap R7-8 XD9a 0bHH !3@<6
 'xcC!5uf} B7]U )IB_ ;?i? &CDb !R s &Rz.7
 (#-> vH=V!OvVW 4 g- (RBp 7/hU 9y!& )wz@8
  D,3 (Fyc tb_5!S<\\/ ,l=A  #j\\  ('E  ED+9
 ,o=o V0Qg!2mrQ!E[E_"Z/j%">q\`P s-W_ 0w?00
 -]K3 7w90 Z+ 8 V\`{\$ Z*Co 9[vz +zO; (>P]1
 +p<%!R}qc#;bgG ?pdJ #.Ag +_I8 4Eao /AWk2
 (@.C!S<AV#w?\\c \\He0  0'T   C} \$kL. &muP3
  1ys !<>P -_%p!oTLX#b>xk#bZ|s D2;E  :\`h4
 OJg?"i2tJ!m\$Ja"]Vel sb7U "1yw  _1r 1';{5
 "w5] +U!y 3Y3] VkR) t\$w\` uHk, 0c[k !(.*6
 \$Zko )b/_   L, \$O_x 64b{ \$ H% !.|, !\\Ux7
 )p @!kaZl!M.WK VYeW!4'{Q!grch!36yY *#jp8
  -pN !.SI 1c-/ Yc[F vw+O  ""Z  \$1R  %2o9
 *-+' 7j7t!RkdL"hf6'"IV,z"E\`EA <]61 +x*p0
 (RL' /Cij 62f- w-<(!61v3 w.FZ 1(L] &G\\D1
 /8 |"cW<3!9bxt  0f,  xzT )pL* 2AoC 1\$\`22
 +^0k!p7]L# AAl  {es !Y*W  Ar& "X[E -^\$S3
  #n'  X\`G (Q20!PR<M#\`vXz##%^@  %8}  \$bd4
 T}2J"iQbi#[}Jq#?#0e sX6i  tbr +7oQ 7v\\g5
 "c4' -08; 54I} 86![ :ZGv <b]: 78#q &55m6
  LJ. %)Y\$ !uZN  i>X &na^  /n\$  ;:*  Tm97
 &PqD :N4i ;AF. 1ipa *6OJ 5U\\V 86>f (?nA8
  -mz &_kr vP:+!QUc. (pp8  "Yz  \$4Y  \$:g9
 &D\$2 -]c| 7"sh ;T.B!JgR5!-atZ 4}(B *5|80
  \$v|  y:E 026J!RLi<!p>|. &qtX  \$ek  %sF9
 %"\$c /@{D 7,#t!o!GA#Cpr_".hBp %ZM8 (DI,5
 7w\\I vmzL"JrXp#\`SW]!pAvp  a_R &\`pk 43vi5
 (Bh? 1 T[ <AU ".!i7#CJz)"LJ}0 vYhI &n^h6
 :v(v!S0n)"GK5,#=HN^"iQ{2 K\\"U "u&e 7qS-5
 *5G} 7d =",+mj"*<A'"]W15!LLvT 9Hn! )nBZ0
  0_I &Z-l!S1OV!66t& ,g6J  '#!  'T3  'ZA9
 +en5!Rg|t"|H2?"C,=_ 7sh3 7Xlo 5>Dl *7xd8
  \$yr "z]D 237Z!p.p| o^xz  #[9  %2o  %2o9
 (-:F!R[jo"bf(f"'_9) 624y 3qLu 5+G| +\\P 8
  NOt %"Mh 7X;]"Gf=r"iSQ- Ke@j  E7m  D-;4
 !Oe^ %,%> (SGz 64kn 64YD 9[}* 4O5z #<of1
  MWL % ow ,_+o  H>: 9\\>x 3hYd  '>\`  KBf7
  Av& (QY{ %[S}  79V (SDb 08?f  &kN  ;:*7
 "bWo 7\`.7!f55w CzkL  (k4  ")p  Kt< !:j!3
 .|D5!S:d4#^ O;"J'Ry 62i4  Nn\\ )\\{  1% g5
 "kw. *8,( +zl\$ 64kn w0n, p=]0 1(Ur &HK71
 #(9u 1(e7 8Rkb"#KZ@"E]Dq!4]mB 4P7J !3&I0
 (S"@ 2_l_ lwAR!]TwZ!E[BX!GADj 9RXe (32s0
 +zO;"i3oY"!jGB  'Q,  a\\K #9"x /AF| *7lH2
 +pB3!p%0E"bj<J  EA\$ !0\\w &hEC /:-B *5Dv2
 "v)= ->a#  *Rb \$3>e XFYY K6"#  {1Z #-757
 \$d"|!3rMq"w;RF!4!?F 2g-A 8c1L 0,#f #!0f8
 &Hvn w.D9"d\`N?!\\7M_ !0\\w &h.y &lM> !Xx_2
  }Y, *.ZO ;0sS rTj="(XCN O]n; &n^F  |KQ0
 & /\` &nX' %"Ja !bB+ #=a\` #G!u &nBT %"871
 #*j\\ ToKR"fK8q B8e"  MZs !.HW #Blw !OWC2
 \$n9; .ry. 5!Ry r%+B 1,L)!L.tv 7It@ &R9h6
 +gt:!p#3w ,8Kz  kN%  #oQ   Of &;"d -_553
 JHaR#bGls!'.kl  t\\d  X\`z  "-n &"!+ -\\{(3
 "DZ  2^\`a #Q;]  _x5 *8%4 %m+b  g0\$ !+(97
 (6t<#'qe)!Z4Ib  XSx  .zM   :h "BDg *7>N3
 QL;r!5Xn| #X{j !OK' !F=,  !]0 +-Mm ;>Gn3
  a(2 &jk| WIP_#'C!N#(Y;\$ #v.4  \`Np  gd=4
 \$n9; 4!V  W)s^!iQZJ"E7-d!Rnx_ 8nvM &>oR6
 "c4' (@S9 22rA 7-ho 7wX\\ 7U@\$ 0Q;5 \$d*46
 0(CF 0N1N :\$/! uUyY!oSDX!p46K!4eD; -LJ^6
  /j{ !3#B 0|U(!o%'.#?nc,!4R*Q  (}M  'or4
  -gm #&0G 2g]K Z!G| 3dj!  #'   \$.K  \$\\V9
 !'K1 *8*) 2k>s uJ@0!S7\\p XA3i 1%X)  _Vh1
 +zlh 7iyq".+5h#|j#?"iSOr ++;] "(h1 -^OW5
  |EC /8LD 5>EA!/FO/"[rN1 uve, 9ICv # #-0
  \$r\\ !9uu 3^0{ w1+k vZaH  \$_]  %m8  %5v9
 %+KZ -^lQ!3[c=#%Z"&!pB>* )3-<  1T} %)rX5
 1(\\"!p.sa m(T'  2%*  s}6 +uS6 1(7N 1&b[2
 &Ef&!Q9@\`##M[/ 7C?K !XuX *4bc 4*f< \$d6a8
 (@.C!S<AV#C7f^ Aqhr %%y^ -V7! /BP{ %"872
 (+VR 9\\>V"(k1_"%07G!QX<V!R\$f? =%U: (HH40
 &9{8 2\`w3 vM|1 ui E!gm-M QVDI :[a\\ (I!T0
 !)iL !Y0T #*vx #=gn !ON. !ExF #3yN  s}61
  jML -]:3 '\$f_ &Fb_ 64uz ),,m  :\`h  yPm7
 #"+u -M0+ UX)o ;]HH Y*>V YoJ2 ,_=Q !30"6
 Fuzr"iSS="""Ti  XGK  14k  !#+ "uOY +x4'3
 p=]0"L1"W %d5J &_f9 4*L8"(\`kZ".r49 ;@|12
 *,q3 4P1+ =%H|!S;[x w,1T <rNF 2dB" /2{P1
  \`Nh +yT% #ct@ \$E_. uLLT!E}C>  2Fw  g0\$7
  :fv #**' 6))0!o.#T#}:0>"/Gm6 \$*}*  :\`h4
  m:{ %'&2 0tSo 5PkT 8[mc 2b,H (Jc,  WT86
 +5ZK\$>f..!?'lD  Dt   #nk   1S  W"s &Op83
 QU;t T}5@ w0t: =%6R"iQu\$"LIE& T{2d /AHH1
 -S;\$!3c v (lL: "q0r /D.? ",!K #tl/ )uBT3
  #;8  r6M +[+&!6!e& P_y{  "(h  #^@  %,a9
 )mlR 2kQ? 4O|_!S<5:!63"e 7w3" 7w)k \$NV,1
  jM] 2i=t -}QJ "X(4 r\$z0"'VBo  VN&  xF;7
 &6\$> 0a(R :\$/! shBN!QDwF!5^+z 6o\\8 (@K=6
 (>rL!pA}1#!p<%!5wYr -];n 2Mj\\ 28w, (3pC8
 !7rD +sIw Xzx4#%9M?#CTPf"/G;q !I*[ !Oim4
 +dWE!5R2\`!%cyi #/RI %,\$6   C9  Kq5 *5N-3
  L5W *8+  4P!f!S<5: V][J!QQoK 1#t5  dx|1
 #/e& 2Jft ux5]"IgOq!66*) &;\$c !5]> !3H84
 \$P: !65+O!or&["F.Vi r%Ba 4cWS 0^o+ !)Yv0
 2kK1!S0Sa"h6a&!Re<j /D'm  -mX  \`MW 63Np5
 Oq"K#EBP3 BW@d !DaV %+ug  Uvc \$3qC 4N4]3
  ^n% !U@M -MdD ;yfv!59@( vnn4 /"M]  Uma6
  #/a !(\$  3e3'!pBAu ;?@K #di_  "xb  #?X9
  UCR #0"T (7]! 1tPj 7%!7 4NLQ 5y"} "Y\\t6
 \$aey %"XI *8\$N /C|6!4P _ scB) 4Kn4 "\\Rs1
 "bO@ /D3# %6T5 &4C/ w1,@!'-#j  VN& !,g&7
 4P:1!pA\$U!o.y\\ WbXj +um\\  |pG  X8( 2iEN5
  |<. &_Vt RFqR"*Bx_\$IFL,%2XwK*2|D6 }\\BC4
 !#rh -M|J :TN2!R_-t w0wA )lI5 !?^* !QJZ4
  su: (Q1[ !lQC #q!/!S<['"ajKk  NkU !-qX7
 -U+4"/"-( I+i\` !(q3 #Am& 2FO4 5kHc 2iK\\2
  t8! 4;)R :1FR 9HBH Tw9j".acn qy6r "b/a8
 1(Xy!p7ih!F!*9  s}6 %&Ow 44Ys <p6} 1'yK2
 LIMB"/!rN I+W6  jO\\ !K?a 2OwD 7O!\$ 62;)2
 /19m"/C3C\$Vs?_#B]KO!4L*l "Xc0 \$lXN 2dB"5
 (Ik@ ,wH=  "]# "b\\S 7mv6 %uKa ##jb +B*u7
  .A0 \$iGh 7,B*!S(Y\` Pv27  \$bd  &:<  &4.9
!+|fc\$[^aj%/Mzd#z^Gp".!i7 1!*t (>>3 uGNa5
  UDZ &_{Z 7-#E",7KV\$P#<q\$[uq%!gWq[  g0\$4
 (-@T!omg@"bckA!5ws! 1(Ur 8_*7 2@^P &POf8
 (DI, TW(r"B<4"!DXM<!6\$Um vv/|!5Z[t \$E4n8
 !,r: -D\`D tDd7"K^SO"LMP[ 'vP+ !6gp !3H84
  .}e "tC: X#eR w1-{ ,k-4  #6C  \$ek  &q\\9
 \$c72 ;5p> rBH[!CvcR"@Q=e Sl+e -^@4 !(I60
 &QJd X'!, uj8p 5u0B 2g-A Xqxv 9x|R &H6}8
  CV_ &j^z 9:x[ w1/6 oZ<D  (OB  E:t  D0B9
 (#<a u5\\4"f9P?"+aK0 Z%@C!Q'Z> QvT( (@1J8
 -/IH ;0dA!,N+}"=)f*" \$\$R!\`|I\\ Qit9 *6UX0
 (=3_ %+YS !ODw !b5m #=I( % E  (P*c *6OJ1
 uIcg"\`1y) y_9v !\${@ !RU. -LYp 9'-, Z+Ip2
 Tz\\K M\$,@  wp" 0Dd{ /:T{  !Pa #q"& 9Y0b3
 !:)J *0uc V)BJ"."si\$71&-\$xr*;!G,WH !1324
 r%+""i(so!o{,' /?3B !)GL  }zy &OZT w+'"5
 #0"T 9K*\` YG;]!l[pm"h%vh!o%u) 2GB% \$d&66
 *.WY 40 f  #<s  %B4 -BIr -K@_ !H ) ,{A77
 &MEN!S:|J#YI7{"e|;L -^Ue (L*1 *'u. #='[8
 )dfd <fT5!Q_Yl QUE+   F/   4Z *_CJ +^JM9
 +zRB v?]D"gx\\k# &,y#=+q6"bc+P v=yP /CAm0
 (+PD -LA8 !<W*  akn ! /E !<Ge !Er8 !Y#t1
!48]O\$X:TI"Nt3W ! #) #1-( 1 Tl!S.Pc!66qA2
 S8Rx!kv\\j  Dw' %'&2 #!CC  #:c *:nS =\$rt3
  t+R &lUK 6,[4!oF}C\$[YON"f,)8 ! &0 !1gK4
 LIw-"i;mz#')P_ v}EI &^'L CGJT!lh>2 TN,*5
 -LYp ;.,f!5gv,"/H(C"hT*K"Ji\`7 v6Z; (Gqy6
 -_,  Wt2p  &wj &!r: 9\\,= \$<iZ #8vl /(FK7
  ;FF #s-B!4;aH"f;sq L?wZ  b K  N(]  ;\$W8
 ";\$[ 43?Z r+'\\!jg*E ).U%   NM '@Sj  N!i9
 \$lq( 2U/o ;JOx!/F0X!Jg7K!gm8? :N1b (>uS0
 "u91 !Xx_ !F)i !b?\$ %+bh *7f: *7%c %!Xg1
!6'A.!leRq  \`Np !B}b *0AJ U}uw#'g!V!S<TU2
 nD{l"'hy-  %vM  sL\$  kT3  !Sy birm S:L?3
 !As0 +rN\$ 5GG1"I31Z\$PGJ./h*+/!!3bp !R s4
 p\$\$W#bB|\$\$9d.O WuOn +s\$= !@h\\!#ChK!0ux{5
 !1BU &l[Y 2c7N!S:]b!Rfuk :JL< 0m8z "lL?6
 /D!= 'd&+  'N% &H^% +zlW !JoV &eq2 4!!e7
  saU 0}Cy!PII<"dX{" X'[S 7uI  5YC& \$PzU8
 \$P}\\ 2kN8 :f;y 62[; "GgP![pD>!3oTY &6#%9
 #(F3 4IM4 urV_"Cx^w"&ro%!4ROX WSR  \$ljx0
 \$MmG 2%Nt 7{Mi 49JS   HP   EI#8O9. \$w#79
 7:4F!S<\\u 2dv; !CS{  a%+  sz/ HE&5 TvcQ5
 +q?A X/,q!R)4}"KVhO QQ X !Utf !LJ5 1"5H5
 +U!y :oi1 ;yfv!6 o?!owhN".\\-d 7\`;9 (Iqp6
 S:\`y#(7)O"iB?X (=3_ !:)J !:]c &a{? 5n9]5
 \$PLJ 9Mn5!Qt\`N!N0m["CxXX!QalQ V8u  #2F}0
 %WI?!3c#}"XPH?!,s)F "Hym   4' /}P\$  C"Y9
 \$bp< 7ZVq!m3^> sIlx !2er #6Yj +V*, #!C28
 &[Wl 79BL!n{[8 2kU,   Ek   Ha!,4yv (-Fb9
 \$O|? s6;M!Qau" qX0W "YX1  N(] !A6F !O #8
  Dpw #:WY 2Yt2!o)B(#Bb}J\$!jBO Da\`<  N.'4
 'uQs QUuh!S<Mr!S<>O!S<AV!S<>O!4R&B )mxn1
 7vY\`!kn-H #N:I )S\\i /D2N %\$:q .|E_ :@PV7
 &e6z 0ScZ !dsE  %KI (IGR \$cC_ !A>u (7]!7
 QSv5 WNN0  #mt "kfP *-7C !e}w!f4iH 2auZ3
 1(sA!S%+Z#ad6V!nWV* #3B.  tPH 0hr8 6/FS5
 *"Z0 7wEL 4P!f 4OyX 2k)B 7vSR 9Z+q -Bq^1
 +lwD 4P.\$ 2kU_ Y4gr"GKU>"a T5!oPeU +Rz80
 \$ln2 -^yB 9XkZ ui,a!iQwU"(WfR v,SA &Z4\`0
 621r!5n]L K6%*  k(| !'2F (K*> 4B(D 64l!2
!4@I5"LGd9 N(P@ +qwi 2<>r!3[/\$"i6Xh!S<QN2
 2dv; O[[g  {1Z \$X\`- 4P8R &gaS -9bl 6m\`?7
  |[' 0ZB) ;g7N!3feW \$G_G  N(; !%Hw !)lB8
!4PX! p#\\{  abY #:#@ +sXV th?I!RffY!66gh2
 -T^0 WINO :J=*!5-A3!nq G!QuF,!ofDq /9bp0
 8x1: :y5b#b\\Gk!+v*6 !Ksz !(<x 0sl4 64{+1
 S4"^"JRua"cj k "|j= !K?a (NV4 7w\\Z vok 2
 !D3K (NIv 1  B 7p|r w/iw!S7'- /AG/ #4@U6
 L5|| q?SP  &zq \$kMz &dy* >oSf!j&f" Mdsj3
 ;?!0 5kv;  &FX "u&e /D\$U K2Wg!l Qv p>z.3
 2k;l )Hcu  %HB  :QE %"X8 !D9j #-kN 0a\\k7
 -_O[ 2,Z{  \$E& #*sq  iC+  !\\l \$E"U *72!3
 /D15 +*cE  \$Gz "lF  !Y&{  14' ,o(\` +z[W3
  t"= %(0d 9:68".)I#\$[)h#\$!j<0 "FEL !(<x4
  rui 1&hi X*{- vXdz!65f: vjLy 0yRH  txg6
 .C\`S 4!!e :SGZ"LIQB!p,_A w(-h ;/24 -LMe6
 ##6I -D9q 7VKM u@h8"K1Bg tLCp *(PM !F&b6
 !&'r +tc* U}uw"K-p@\$ |Yp#E_!. !)GL !&\\-4
 "NFc qo'I!R0Ge +I>2   OU >hqL 5@T}  k\$\\9
 )lUQ *8*\\ !b]j &n[. (S:x /Cv( 2k8e .yf\\1
 ->AD <z2c!RuEH Olr   VN&  WXX .mxg 1!*t5
 %++H 2jFk :]FX!Qalb!Os_>!o8wA 9;M( &[NW0
 -;zy X)^/"JzB5!5o(b '|%.  !\\[ 50K( +^'V9
 qccr#E^|k#aw-Z!4M5@ \$Y-1  tPH "riQ Yxi>5
!p281 p6Gc !N10 %'ZK 4GxA!REVT\$><55"/H(e2
 49PP <y#< Um36 -]mD !<Z1 #4== 2k - -Kq-8
!S*<L"+wOB !]\`L &h\\Q +qwi 7>xx!64Lv!66t{2
 (,,k 4P7l!5z4""hSVu!R!{1!R/6a 9\\+F (>xZ0
 0=OP ;6=B!*Cxs!\`|Im"Z/\\,!\`|O{!LuKJ +y8K0
 T]-; T|:1 64Fx ="y> ;>ok ;=b2 =%?g 9[O01
 %![n 3t2( !i)K  Dmp #G;W  s\$8  xzT #5W47
 %'&2 />(n :\\r-!QjqH"iSL|"hUl? YAb\\ &Hi}6
 +TjH!Ph!w  'N%  \`Qw  Wq2  !YT "-io *6h53
 1(hO 5uM<  #qP  '\`\` "l<i -ZPO uIy: 0szq2
 \$v1= %+r- %+o& *7lH 9Zf:!S7\\p!4M5@ *,Qe1
 *8+d "@\$M   Of 'P*r ;A"@ \$N"\$ \$xn@ 3l*a7
  1vl #)DI 0w!a!R3hG\$XRI/#bG9@ )Iqa  (ds4
 \$jwa />]) 7pHY!S<Jk!5Tw= </)e 6#,0 \$Zi96
 Q>\`t!5HrK  EA\$ #27Z  j:+  "2c B@5k!+|Mg3
 !<Z1 %+bh &n9? /AHH +z9h 2jP" 1%U" /@=t1
 2k/P 09D,  N@Q !F T  W!I   Qv ,<NM 4P\$m3
 "a@n 2:&v :+AV 62+u   K\$  "+o!KZeW \$GS+9
 (RU< +zL4 *7c3 -^FB 4NYS +y/6 +zI- \$ckK1
 +yi] -BeB  2J  "l<z 1(r} #BO[ )p?( 3Og,7
 !-qX /52V 7"WC <kp;!od6, t&Uy 2F\`E !)vN6
 \$l[U VDei!kQT@"+0sW -\\h\\ #:KN (0<@ !3?48
  \`Np (M?D 8xka".25b\$Qf{G::0o\\(sQ4E  t\\d4
 -U!} 6tS{  (F- !BII  tA%!%/Zl tFD> (I_\$3
 (=<t #=UD !bH9 #4!\\ +z?v /C)5 -\\1< +oo!1
  0f, !;3| +^LL UN]># ,ft#{BNK"/Gc]  D-;4
 ->;6 WqT1!R2yC!G@&1!G@)8!gm?D!3D9: /.ZY0
 7k:n!S3(&!5I<H 60Q' !;7% ?USU"b3(f TzYD5
 +S1i 91OT *xwa !LM<  X>6  #jm 1vbz (@Ct3
  iK8 !N10 *0uc QNiR!pA^8 1 IX (MnF  \`z'6
 \$u3' 5t8: 3J0+ *7U:  5OC   CJ q%R\$ \$PhM9
 "zU7 4@.[ u{ga!n]a#!hbk&!S8YK 7"z\\ #4:G6
 "V,n #GB) !Og; #G=V +zXP 2jY7 /BRz "Tj61
 63Hb /1'2  (3a  'T3 uLC? L#GF \${Y_ 5m/+7
 XFf9"LKAc\$=Isj!og^h 2eLT #:WY ECNW!4L*l5
  sz/ &]Q3 5Pn[!R&74#_XEg\$>p({ (*pt !.|,4
  Wdt #:WY 5wd0!oF';\$!j?&#[a 8  )1w  Ntj4
 *7lH +6k-  %yT "Dt\$ /D.a "tc: !@h\\ (K*>7
!oq_T!ljS8 !Ksz %&Ow -We0 s%\\V#a{ps"iSSN2
 "XT/ T}BS"Koh+!6#;v &Hco ! N\` !Y3} !3978
 (-Yr 0+'\`   DA  "3'  0rH "zU7 +vS: &G!{2
 2_x{!RCW! l}vG  MWl #7l: 0W\\!!R@JF 2huC2
 T}Cm"/2jt u<CC /058  EJ9  EG2 -&Ck ;=-w5
 +zO; 7Q&2 %l<o /D.a "ali !.|, (K^W 2)Gn7
 \$OQn 4/Jo 5Lt& +@Aj   F@"N3"R!O*EY \$d/:9
 Rr=a"LKlg\$ D/-!2[2) #Am& !T5y!\`vYM!4KTS5
  |sN %'&2 5w/u!o&\\d#y-6!*P&hK!b0Px !)Pa4
 "tx| T{.""h:Tg!n,^F \$d,3 !F== !b_% !1X98
 +gR) w0q3 uKJb +yy" 8|\$Y Xc^K 29Mx &[NW8
  N@Q !D-= -W0u!Pa%&#]f!G*L7Yd#>5?\$  a_R4
 "bKu 5H:3 6{!( 'vJa   E|"XK07 RY;  !F#[9
 !M&\\  ]ZM 0NZB v:E<!iQt="(Wc\\ 5TX2 "t_o0
 !'v\$!2k7^#DnXU"e o8 -L4z !3EB !OgL !35l8
 (!qG :x(m <AI7 )mE]   :\$   @!"(}Zy -C&;9
 \$8sg +psE"-3e*!og-V uJ:" %)WL (7P1 "{u<8
 2Y6b 4GD( Z"U\$ /=RU !Ksz !(<x )e{4 2kWF1
 XBrV!RX%[ o5}d  abY #;b- /<|< vkeh r%+32
 +[g; ,dy6  0GD  k;H  #6T I"l2 Xlt1 )wR!3
  N45 #BwX 0tw;!1vy##E6|B\$>\\eY  (gz  O !4
 942" <3<c 8^Y\$ ;7). 6Tvz  "(h ) )X X:'S5
 "hhe T;i?!N0V^"&r^6"_pYx!p 7X 2 4m #!Li6
 &W%1 4P9}!4p3#!a#[V ,z_F 2kQr !@h\\ +i#Q7
 -TX"!o5\$4",9]f T{f} 2NC| 9qG{ 9}]m +wZe8
 -H/d X{m5 6I{! *.]g  #+@   (\` '#a% *._g9
 &P:\$ 8i^E!4RRN"(WNo!E[:) S:r_ 8\\28 &e3b0
 <.]z viCq w+'" /@=t !M N !)MZ )p.+ 64{+1
!S*<L"f\$z^!bY[S !7rD #8BS *0UQ!4D5O!QWxV2
 1%#n .&u!  W*M %+1V  "/:!@OO "(d*\` 2j\\>3
  :p- !E4h &g;U UkQA#b'W95"-XQ  <22  Nwq4
 Rz+5!I^t "C&\`q!n6\$i   Ha   :\$ l&BY Tzhg5
 #!U\\ ,{A7 XY_M!LKsk"DFYf!S.XN s'fY \$mGR6
 +z_3 7NM_ Xi\$M I5 \`  j\\+ 2kU, %'/G +s\$=7
 -?pl"+WSY!kXQ3 /9.W #4*q 0=J( 5"LM -_8M8
 -Hc}"IQ[h#!lz)!4R33  HIN   .L 3=)z )yaL9
 +ek. 8|O*!LL;6!f*M?!I\$]m n[y0 5?LJ (Ie20
 4!!e 7n3S!4K :\$='G< }rY! !2q} \$Q 1 -_Ph1
 r!5O#}C-l#6MBY ?&G8 !(wA \$|/x uH>\\ T}DU2
 r\$#u"Ff[P  tVV /C|6 "0X7   Rm o:>\\ XFP"3
  ;LT !2Di *27W vOa\`\$>p3m!w_X9  (6h  EM@4
 0_Ms 5-4R 4[E^ 1(e7 '6{P   .L 0*y3 0su85
 &\\F_ 5=tP!/F/.!Jg2x!eXs' vONa :KM{ &H]a6
 &Z\$h 4;)c ;rNf LY@M  kR# (S8\$ !RU. +U!y7
 2Tm]!Npfh"&viZ YO^c *7+q 6qPy!2p0) 64+98
 Ofp<")%*e!I(t% sgcB ",OV   (> %HP] 2kVE9
 &\`pk 8kTR!4oX{!gm?3 n[yR r%Q/ 5A/z #)Pe0
 0|#t".,r#!o28s 1(r9   =+   :\$ kH53 Ti0r9
 OI(R"H4#A"ByRL"i57l B2mJ   .L 3*;z 2kN|5
 2CNu <3: !Pd5;"-<3E !d>W   KW 38@A 2j\\>5
 "u W 4@.[!2v}E!glwW"ge?i vWo\$ 9&0s \$Zfv6
!.|lU Sbe !NX%S!jm/0   Bu   -f *K>8 r%(]5
 +dZL :1I7!QX8X"[r2a"=)i1!Cves SOde *\$7t0
 +g#|!3In+!LL{| 28G" "V?\\   :W R'Z? -C,|9
 -K[Z"IQ^o",,qJ 0i)i %+\\Z 8]}A ;]nh -_;T8
 -?<S W%h:!5![) +Rgl   Ek   1B P&L\` -C)u9
 "u3# tqcl UR@e *#^T #4*q 1x@\` 0>#7 #=!+8
  fYi !Ptu .\`-0 W+r<"iSSp D8=)  (I4  z[A4
 &^'L !Utf !Xf5 !ON.  ip.  "f| &*v. &e<v1
 -^;r 2BGJ :2M[ I5 \` n?5j!LA,^ &f{d 0a(R7
 !Y5M (7I^ .De]  \$o" "XN2 +^@R !&'r %#dX7
 Op6_!3w(\\ "u W 63yt  0%f"Q\\+#\$<(Rt 64\\K3
!66HM!O3s3"/D=u!Q0uL #HIT   :y!5V{C!1!Cq5
 1}{= /;qh />(n *5y1 ";w\\  \$ky .xMq -_Pq1
!4L_'#z.X|#khvI  ED+  abY !2q} S9<T r%+32
 -_O9 2BG( 6r / 19e{ 0MtB S15/ #?,z 0jS%7
 -IqX"Gul("_I)k N-]# #32i -'3w 3=5A (@D'8
 Twn%!oyTO 0'TS  (*L  (-S  t\\u 1(Uf .zdl2
 &DO6 5j7N s{+&!Cv]D"XJl{";E7P!/pD] +yrr0
 .:6" +^LL +s\$= 2g-A "FBE  'J| 'd[r 1(tV1
 4Jc\` YY(/ v&j7 #c:7  X.q  |pG 1'LH 7c\\C2
 \$_lC 5QAm!N0V^"[r\$y"\\Ia'!S\$#' 6wM\$ &[n66
 /7Jc 1TKl  0rH !Xf5  JfP >hdJ!L}/E -LT&3
 .z?|!Lw&)  \`&s !(}O  "cS"=*#X"[}b  2k5^3
 (I}Z 2Je( 8K+" !icr \$!nI ;@y* #9M' -D9q7
 #41! \$K-=  7;"  ax,  ",U 65+_ 6p2@ !<mc3
 -\\h\\ <T0C &,5| !F9? !xod!k6[a!R?v, -_NS3
  %T^ !\$|j (.oI s<cs#(Y:\`  #9[  \$o"  ).p4
 "a"( S!+Z u{ga!lz^{!66p} vW@f 4.4e  b)q6
 \$s9\` 5PkT szc9"D&8v"LM65 <^'# 2>o7 \$Zfe6
 "r58 75NG!/F/.!f*6d!lP\\: <W[  25J? #!Fl6
  E={ !'q@ #A#) p'B!\$!jL[!\\S+X  1&r  ED+4
 *-+' rix\$ t<CR -V#o  +B]   (\` .Xub ("Om9
 *&@^ #BC? !M N %+YS \$FHW  #gU \$O*( (I}i1
 5k|Z WoT:"-6D-"&%!J   |6   <4 dPp0 QT\$Q5
 /.#9".KA'"_;h-"=)l'"S>oY k4Y7 88eA *7lH0
 /@u6 8/\\* 8&:l +zd}  @WI   .L *A\`C 1(sc9
 5LZ3 tZ-M"anQ#"g+@3 [o0!   4I K0=[ QSK15
 V_<7!o]pH!,&pm  %sF  (*L !)Vo uK+' 4P:#2
 )p9<",{q!!1H5Y 2ju) +pWd 9z=\` </_} (Ikb8
 7t>L v_OC 8wBG  <%t  Nn\\ !  " 1(&d 0_G_2
 20>S :|Fn!LqiM"S>c="S>o&!zZs7 SY+* -Ue[0
 1le& W}N !gnL(!Jg@O"U#I7!\`|A> 88bm -_;C0
 .iN[ -We0 +vx0 2jP"  ;qJ  ([^ +T{< (I}i1
 &lD: 5tvp #K0B "2%? 1(r} (+(X !I^t (K*>7
 "{+P 3m55!N0V^!b\`q "^j'" vNxY 7#HF \$d386
 &e-T +u16  =G#  1g|!a8nC!n^!% Wpw6 &[nz3
!4@}N"e\`N0!fjeV  iyC !'2F !Tj4 QSO/!pBCc2
 3l*a 7dg" 6.<! X@)7 &NP" !(<x )fZs 64{.1
  N45 !D*6 &h^@ 5dQ*!nzQJ/b,'\`O<>X}  k8A4
  \`X' *)/& 2)Gn 5!Ry 9\\.o vk?H /478  N-A6
 +ek. 4e=5  \$r) !<Ge  \$r: I"l2!/Y>& *\$&R3
 2F?^ -Xob +tc* +xX{  a_R  EPG -00e +o\\S1
 %"AL &OWM  :QE ! >h |JT4#[tA8!5j(N &e'F3
 &P:\$ 56Rg ;D4! 2N(_ "JZk Ct_K r_8\` 'xbn9
 \$dlh !S+G !U@M !El*  a7U  &zq )o3, \$atO1
 (Her -TD= 1nwG ,-@\\ )JAl!S<TD !Tm; *&@^7
  V>a *2%> :-YR!ihS]"JgGw!5IA_ 2=^3  tN86
 &?Ha ;:jU vCz_ N!Y[  b K \$oA] .a&- &e\$?8
  1se  rq? \$yGC qm61#\`cb)  "2t  %KI  ;}f4
 0{oJ /en=  #^@ !(wA \$NP@ xt@V#?SyN -LD?3
 #,,a !\\!_ !Ksz !2u&  D?e  \$o" 2W \$ \$XSm1
  1p^  WY> !ADu *&Rf!n]_F\$T^6z  '&(  ;z_4
 +x'i!5(vb!gm?U"dZ]9"D-I_!JgOr!5'oY -]E%0
!+K-L"eV2I"^<V8"i?\`U ]VL;  "Yz K2y# uJ@05
 9[?Z *nsn  t_k !32e B4Qq",!%3!o2hl QUv,3
 \$pNA 0W\\! VkR)!2mRr"/G|H v<Wn 5[(w &Hsx6
 S6o&"aBpZ#y[Cu!4R2o   I%   4I 65.f 64yV9
 !5]> +_"e 8,U* r0q)!S0vG!5-,5 0PoH "upQ6
 3l*a 4=C< 4IY. 7t>L \$4Oi  :s4 +AIm /D3b1
 (Isy 5s6J v(jr E^S0 -9Z_ /: s %'&2 -Nnv7
 0^c1 UZKU!Q-e7!PgBI !c.[   @2 12[1 1(o25
  aYD !:]c *',( V)lh#E@H@#[N)E  ESN  tY]4
  |<. %''L 2FU%".r?<\$>p3\\ ]YM>  Nwq  }Ln4
 +zm, 7:L\\ VpwD &v4H 2kV# -J)^ &^[e /1<c7
 .udM!5FT0 8 HM %2o   D-;  Uwk *2/9 9\\@D2
 2fW("F,u'"Et-7 -_,  R{H3!4gjt!R bd -U{P8
 1#?z 9?O7 ,zO=  0{]  (!7  Nqc -_6= 0{4y2
!4M5@#((}O#W8b7 a]q3 !'f_ \$txM!66us!5jQ!2
 -7Z\$ ;}.^!M4Ud"KoaH ]S0p   :\$ 2uD2 /:-15
 (Nm  2k!5!4{qR!&x2t +zbm &YwT !I^t (A]k7
 +Rq#!5-}7!p#hT r"nr   :\$ !bzu!4eLj )ffJ9
 w1/X!R7A@!R=6U!S<;H )!=0  !"E rMa.!1*j\$5
  |=> &]T! TPYI"LMmw"'{HV  'T3  a_R !9S14
 !%QY *%7l 8xIe!oE0;#bd^U!!5'|  k,% !:)J4
 46b*"'An'#9ds4"F6)B OI33   7a !bf] 3[Z}9
 0j./!5BNx"#U#&!Z-TI"S>fD!zZ^} 6H+4 .z_(0
 \$YEz!2&kQ"%<*1 0s'N !;Rd (%e* 'y^c "c+48
 Q5j\\"aD#<"_T|! XFed \$6{J   7. nxG\$ N%\$}9
 /C;_!k^nV"(XEo Q\$p& #Fv\` 5JTa ;TxP /:^28
 &F61 3pKz 2u=> r83\$"[r8o!/FU= :=Ur (Fa90
 )mo{ /D1F 1(kV 4P*{ 64kn 4P*{ (S:x +RI&1
 X?R|#((C(#tGm9!C(X8 #7l: */k1!QASM 7wYv2
 +S(T"H u?!A(<S !;@:  ",3   <x %5n5 *"s,3
  sEt *2[7 t{aD#'{6\`!QWq@  2(1  X8( !1gK4
 L@LI"i)"q"e+^u#(VQ/"cYH\$  2M'  s}6 6\$oN5
 )psA 5mcD ;]EA!4R5e!65SL v<&: 8,a6 +q;26
 +QXV ;,IG Q[C3  N{< 1(s0 \$zO- &\\F_ .iN[7
 -Uhb <)#a!Q\\:x ;XqJ 6 Zs 1"ia 31jv )c=J8
 QRbL"&r?N AMI- sAnh %z@P   @2 (-T( 8gO<9
 \$rfN Rolh!N:Ka"bc.5!ngGi ;AG6 7E I &dv#0
 +=3e +zUI 1(Rk -_;C 4O|_ -_8< 2k5^ 'lqP1
 /9bp vpCk!2|AY  2%* !'if />])"/F,) ,S=g2
 -BhI",fa*"r8?   t_k  -:G   %7 'A>= +Tw[3
  a(2 *48m vVkJ"i?ST"(/;G  'W:  ahg !(<x4
 J[jM#E)g!"LK%q"i-?j C{|.  (XW  k,% 7gRA5
 \$[B7 4!!e ur=0".i^w!p6Z0!QtXc 8q?} &[aV6
 &e<" 5h,e!Jl[< !sXB /'n3 6(w| !RU. &fGK7
 9W@R ;nAC 5;W, (IXt !N+" .f51 6;eZ 9P..8
 6)Ah Xy6@ J?bi"&TVJ MdL    Bu   1u 2Lyj9
 &CDb 93sl r&)X QV7G p@PK 9xn7 -5(F \$ZYt0
 &NS) &n?M #FsY +z<o (Rw+ (R}9 -^z[ \$vh]1
 7uL'".lJ8!2syL &ua6  (XW  t\\d *8"a 7w]|2
 +gdS"+"zW";H7K !ODw  MEB   C9  5M" 1(bc3
  tPH &ig% TN:h".^t/#(Y6b '">I  EG2 !1324
 )\\<H u<Op vEmv w0}O iYW@  !!p  :B" -G%25
 "b,Z 0lh+ ;]EA"(WA)!OM?\` u)#\\ 03)^  |.56
 )p0I R=N& iTFp #jIT!L89o![g3< "v++ &?No7
 t{jf!R|&Z 8>gG *7xd qe/.!iU4\\!I%TK p@)g8
 0dH, 8b#q!C\$Fd"_0Y" 'XA\\   1B #Ht6 2W7/9
 **6Q :=CH">li@!ba,\`!LL#S XFvd :Cmm %!^u0
 5yy6 v84x ;Twj 0f&4 +zae  5)# "Dz2 70T09
 /:e7 vY8.!5#N@!p@.n#?QN1 xz8?  ae\` 1#t55
 +KRt!p281#bR{:#}]4/ \\>pO  )"T  ;tQ *5v*5
  \`#l #1-( -MdD 2<>r 7n(. 2e<\\ -OfK  D\`*6
 -_Nu 5o{Q :A&o!64aR#_u_5!X[/n !0\\w -M0+5
 !6gp /8^L!o:Kp"GKWp!1+)@ U2Y% 0R"* !)i;0
 2Jlq v6M} 5gz:!66Wp )H&X   C(   +x 4P8c9
 Tb-\`"H;Z["(zW" V;,Y %+eo 48jr!R!@F S%h28
 *-+' 55yG ;]jH 5\`<p \$P_'   Kh  _rk -;wr9
 (I[{ 7ES| ;\$*. -_>l *.2R <?-N v,1R -J]D8
  EG2 &W|; TDhR"Kfsq"-DmY  \$xY  2"#  W^f4
 +ngT /D'\\ /D\$D /C|6 =%?g!pApb!4QeZ 2jV01
 )ZRW ru[I G@Pp  1p^ !2VO u>9a M]B^ -&kh7
 %"Sv 5Mpp!m"K.!]y)I ! Oh -[,v #6-M &e<w7
 -Kdo".UK[#P(\\c =T[I  9J+   C( %VjD 2LVs3
 N.U^"i)"O".\\/0"iS-r!#vdM  \$r) )Ie4 4L{m5
 %(0d (S%G /Cfc 1(IV /Cfc /C\`U *6LC #!*X1
 !&_4 #91F![.>k">*E'"#KB; S:i} +D\`b  }r[0
 Z|'q\$+jya#kMFl"7{^|!*:0Q S:g) )sHI ! OF0
 +y"F 8B2% I(@q  :/V k!;O!B"(X *z<m 1Nbb7
 1"ia!4dvb :@4u &kGp #1aA +5Dx 4\`z> 5x:I8
 4O9#!ow^1!/Rs+  '#!  2V< !(q3 64hx 7Vg%2
 +yrr Yr\$/#!rES!ba0M"!fu="Jr|^!5c{U /D\$U0
 !NFa (S4j 7vY\` XCHo"LG0 !61Ax = d8 &F0#1
 1'5m <6*x 4T}&  &wj  )%[  |<. 2jm? 6 E62
 #41! 2hD1 "m4q QrBT vz>Z!6560 6/vn #+ R6
 4P\$m)s4Dt)\\(nx  anu  \$|5   Fb #pJR 4P7}3
 1(o2"hj>U!\\#9n !)\\}  0)B   LN %Uf1 9\\%83
 2ij'!RLj""'0a% FX&J JbRB"iPys Pqo@ 8RC27
 T}/2"g"\\E!'K&.  O !  #qa   29 .>!g XF_g3
 S:I8#\`8rA\$'(&O !3,W  X,a   A) ,GW} 7wNr3
 #1-( 0u*n v'L]"hMM&!pB>; "3]k !  " !X\`'4
 #.Ag -M0+ 6w,p 6d5l 8^eQ 2io} 0k8S "}sF6
  h:V #CMq -&kh 3Yj} 64uz 9#aW +Bjy  u\$s6
 !D*6 -We0 5Z8' 8RC2 YcK= w#Yb 4!b1 #+!l6
 &_f9!3x+4"h\$6b"i6'V ._AS  tVV !:)J &gQ}4
 -6F; 5T#w")vDj"]'1R Pw3e   I%   @v .|9e9
 !VN( *7iA %+YS %+SE +xX{ #FsY &mf- !Xc.1
  u\$s ;=Fb!5hI>"iS*k"_Upo  &Rt  '#! !1mY5
 *3,i 1_"q!N2+/!G@,?!\`|J1 lwAR :< M (4F\\0
 S-GZ!N=h#"I'MO!4+[q &\\F_  CZ)  %g* 4(CN9
 S:_O!RZev"(WA)".y[9"CH!f  NhN \$im/ vVLm5
 2fW(!R}n\\ 4\`\$6  &wj  'y)  k9' *8-# 4B]C2
 VI%Y u]kM 1pn) #!M> &[HI W7&_!G@qX Rp9l8
 QUiL"h}9y"B9 u #Kd[  &Om  EJ9 *.O; 9ZVi2
 \$ua2 2_;o!4n}:!(Uc1#;G0e"Jr}" ;+q@ &[e!0
 *,Qe WpwF!k6i8#' =<#!hdy"-vPl s2A\\ *.[\$0
 (G:Y 1';{ 63p_ 4MR( 1'5m 2hl. 1'5m (*pt1
 2]UZ 7cVb ViRT g(bX 2hMh (K*> -9bl 4v(H7
  }Ln *4n] 7e=; vVLm vXn1 uLG\` 1#Kz  k%j6
 O\\>>#v(Q\$"QsfY &d>a ".pg   7a   x' 64bj3
 XBrV"J/rx!Jy\`! #l^Z  N.' !0\\w 4O)? XFh=2
 &bWf #G!u (Rz2 &nE[ (Rt\$ #=UD (S"@ (S(N1
 3[sY w1*B!M/[M \$|d3!k5#h"gc\$D :SGZ <%3I7
  {es (Li< rzD."hm/\`!p\$56  2"#  NeG !:)J4
 #"\`0 /1p| 8[mc 8RC2 ;uY  63&A /1BC "v*F6
 Og_/"_eW^"1G/H !)Yv  !"4   7. #IGY ;@c\$3
 7\`w= +zjz !b^P (SAJ /Cs!!4Qkh Z)mV 9Z5(1
 &>5M qCQa m,9+  B7. -_"i %3yR  0f,!&W,Y3
 4",9 :Q8b -,)n!L%f{ lM1\\   7P   "v +R\`V9
 "tYa !Y#t *7oO *7f: (R}9 1(FO /BRz \$mJH1
 (7&x :a;C"D!;X"rN@+ n[WR!f'dR &\\zx +^LL7
 !@4C *3,i 3Y3] 6Zi; 9Rl( 6w/4 1ak] \$kHR6
 2],U ;m&w 8M.S (4_6 \$tD4 UhAp"@S&p O?Xx8
  r;B *0Al Xvxi#'AzU"LMPJ \$=z< !'f_ !8|v4
 S8b=#uzrR"Q]bi ! 5S  ,^B   6{   =M 21*P3
 "|9+ #Fyg &mc& 1&+; 6.<! 9V6  1#t5 \$XY}1
  {1Z *%jE urH""GBl(#(2=u +.;i  NeG  |<.4
 *+xE .PqT b_<q!N0p@"B6 z!/FTW ;uh! *+MA0
 T}29#D^Ow!m@l8 vuYc!4Qha !i/Y "<W, 7uL'5
 T}5Q#}%"h\$3}*2 *7.x  8vw  !(d %8o8 Vas=3
 \$v.6 -\\1< 7e=; YPf0 vCUi w0wA 7t<^ &e:V6
 64%+ :t/@ X8;0 S:Xl  Kjc  !\$w %-cE 7wX)9
 "g)x +U!y 6d5l uXk(!6*I% v'<t 2*01 # w66
 &l\$9 +zB} 1(@A 1(CH 1(@A 1&_T -];n &[EB1
 4Mvr!5N;T N2H9 "Y/, 64(T (1R( (K^W 5cbX7
 \$Q2( u4Zd ur=0"/3'^#De!f !eI+  \$GG \$vqr5
  W\$? #78! 3b^c!N:>N#An.S!hjY>  &FX  MZs4
 !.Gq /2GZ u{vv!oQzy!QCAn  %sF  EA\$  {1Z4
 /C#' 7G\\f!NAH!!&\$_7 9\\5t )qIZ +8^D 1aYf7
 u;8o#\`N"}"]_\\& BMXR  LM: "{+P 9ZVV qmo@2
 0rH !LWw3 U/2h ; [R #2ks *"Jk 4^t[ 4(@G8
 *7+q 7lh9 6b9@  )%[  k%u +lwD w0ye (kuO2
 -]A| 9P{! 8jYC !z}2  'N%  X;/ +p}V +zm}2
 2jeu#(.j5\$>\$Xv"LIy?"FSdL  2P. \$c1\$ 7qS-5
 .n<+!4 cu XM-z "=!) &e3b -We0 +U!y 3Og,7
 /6=* YPMV d_w-!)Uma ,Rw3  \$:x  !\\J 0h(]9
 "lR< u>js!ng-T"i9}Y#bGDv B8=%  :K7 #3KC5
 ! &0 -Yz6 tULe##Njx"i@(S IwL   k5: !:)J4
 :qI| :[6G 5Y0Z *17d !2+: "}bE 5+;q :'CE8
 VasN 8p2" *1ww !<pY -K3] U?Ia!C{7I q\\8t8
 "kZ4 -Z&B!58YB##\\bN#bdR9 apnE  |<. !8H]4
 \$_lC #8^4 !*}5 1{%q 0sd|   sT   +i *#Mw9
 \$aP7 orq=#>nXk"_;\\3">lL5!/FIv 5i7J #!=50
!1Z*Z u;<) +t#} !NS0 % H' Us@r!gsb  sJIA8
 ;3gT ;u*@ 0X^\$ +zh7  Kz(  \$+D  !LA 2Cv.9
!5JFz!5uib 5bC[ %"Du +foR!3:Vr"(f]y n4E%8
 (>xZ!oksC!R ,L"GKKT!G@&  QVFH 0"\`J !(I60
  X"f \$w&> T}5@#(F#[!"HCx  tVV ! &0  NV51
 saa<#{z2)#Izb5 !0(^ %\$o, -9bl V@}M uLJD2
 N\$lw\$<RZ]!Xw]a  tey  11   !TN 5#^7 2kO/3
  sz/ *2"7 V .c!n{->"i"Yu QLHc  k(| !8|v4
 )p&N"Kk@@"bblE##vCW!OK^Q   No  "dJ (+_g5
 +j.% UaTB!O|d\$!f+D?!Mh\\m XZP. 4vLG (4hm6
 /1:  3Jco  %yT QV ( p!v" #-75 .ry. 54I}7
 O+|8)d\`'s\$D\$U{ ou:m %!'U 3=kY 65HY 0j:K8
 1's=".s@{"I0{:!52N' )e,A   @T   Iz 2kRG9
 &WOO 4/Cj ui/\$!gm'?"Z/Y%!f+ov 8PC] )|Tx0
  'ZA !)rP S:OF#b>^#!x Ea  ahg  Nzx  (al1
 4MR(!5RB% *Jla  XA=  }F\` &_2  2dRp 7w]y2
 -LMe#&%\\%!U)W%  O)6  <59  #r% 0,7m *.Nf3
  2(1 !(zH 1"?e!oKdJ#{+4s\$!jKB '+l#  2\\J4
 S:[b"KbS=#BA)x#\`.w0 r%&+   JO \$3=] 9Yd{5
 &R'- S5aK v:+8"h6a&#'{D&"/3P0 P|s7 %"U 6
 )ygZ 5-^,  !\$w  8t# p@:# H;%I !P@( +B*u7
 2k;l!o<g&!4v*H 7igG 2ba5 <t/3 W{Zg *47=8
 /@D\$ 5u<^ 2Jg' (IGt  A1q   2= !vzu &[o?9
 -(O\\ V\`:M!5fGj!Gei\$"Z/dl">msr R\$m! +cLq0
  rxp /Cv(\$!j >"zXVX \${Y_ (Ms] &jqW  iK81
 lc|B#=sb#  'T3  EA\$ !BII */6v 9P^' Yhfn2
 Kms5#tL6\` w5S#  %B4  ![u   :h &p7H 63b"3
 !/RE /=RU!5U?n#[yQw#yS=z!/3&3 !&\\- !.Gq4
!n5O6#AmBx#uRA9!myQD &f{d !R s J^"(!Q(ai5
  _D> *2VP 5GA# Xv#\$ YN8r 7#s[ +Bh7  r4.6
 \$Fj\$!5sv: @MMm &=8a 6!u.  EA\$  gd= !I*[7
 S1+4!S.,u <"B> 1'vD /?3B ;47_ vSaN r!5O8
 7\`?{!ox1T"-w{A!5%az 1(sA  ]*e  #qa 2kH*9
 0s'N v\`uV!.Eu8"%V!@!E[QH!(W|W R.\$! +a7k0
 N#'|"aJ\\@"|DLD!MBxO ']qX   @2 +|zz -^*a9
 JR1="KcvZ#ZW_n\$!iVA!)#cY  \${>  (3a +yld5
!5w}\`!p,{w v_w@ -\\eU  k>O  'W:!\$@'& u>XI5
 \$uNf -Yz6 7HEK Y6_m!S<W\\ vbCh 7\$MV \$lWX6
!2ZZU#&,vE#E&r: JMtC  k%u  a%+ ?wyu!4K :5
 -LMe :{?v",3uu"-c\\+#!h|\\!l|=X!RX>5 /AQ]0
 +SMJ s{g] r'=c 6lM^ \$7L*   =< (Va5 -@P<9
 T6] #4VQi"spup T@id 1 T[ o3bP!E\`<+ RdHp8
 JNJ\\#=\`'A#2u9C!g<NM \$,I;   <V (p6f (?9d9
 7bLR ;sYm 7!Y- 4GxA qD;="U5(!!a0Pv Ol=e8
  E={ !:)J */|d!3[S4#'@p4#(Y9i  'ZA  2\\J4
 -]H, -_8< #G+, &nNp /Cv( 2k/P 1'8t (,6"1
 64kn *cx&  'Q, )SzZ!63\`5 -9bl 3Y3] ;]EA7
 Mfjn PcB'  \$r) )f9i <x4k %%EE 0k)> 8x1:7
 lmWc"B_AJ  aJ! &j=> *3,i !2Cr "FBE Z%@C3
 \$d6a 2IxE tBQA#^?_8!pB>n '99(  J/t %!^u5
  NR{ *.N3"iS-r\$Rpfb  k%u ! #) ! &0  X>61
 iE}!#b%=O#xz/q#[tOd"goD1"-p1( v/y) -]s00
 /:Tj vOc,"-vXh#=+ye"|A^Q"a\$Oa tTYR 2ho50
 T|L[#C5?.">sDD  (RI  s}6 \$|d3 2h"3 7vv'2
 1's="Iqft ][kH  a%+ !BII &g'p 4:!c 4N4]2
 &Hm& UzJ# #M9, %w+5 =\$c@ &Lo5 !Z@r (@S97
 )p)U"/\$KT#Srvc!I>.K +tc* \${Y_ /"ok *'K28
!QUhE#\$Vom ?L)\$  sH{ *1K| 7[<O!oYN8!QWxx2
 +ee !5Ut)!n^+ "&s%_"CxmE!,!y] 6c7V *2"70
 #D\$, !Xc. !WUS %*Ej #F92 !MTg !BII !9S11
 OfvJ#b -T\$f8*.  ahg #:WY *0uc Wpvr XFY{2
 !MWn (P*c 6,&y XE,c!Rp6w tUcu 2Tg. #4Cm6
 k*oY#Y#GA  %E;  #mt   L_   G& (s\\p 64.Q3
 /10X#8I1^  /I.  j!Q  iH1  \$r:  "2c 9ZGR3
 (\$.} .RXO  &PB"-cBZ!&?50 !PtA &e<w )frU7
 0szq"Ik>_  #:0  )"T  (L;  \$:g 9t/- 2_Jp3
 r%%x"Dk S  \$|W  (*L  '/p  !]c '; E uL?t3
  1EZ !0(^ 0X2:!m\$QU\$JmNt\$x{^4!'f}f  Dgb4
  z'( &^'L 2<>r 5@4k 9Z#S 5Pz3 0NFo  suK6
 !NbB +wNI 7eqT <TL\$!66a8 vbRE 2S%9 #+ t6
 !E:v (P-j 7e=; :SGZ!S(t9 Y{I| 3lOF \$w.m6
  NCX &bQX V2u*#@SFa#\`Y\`F!H6aK  ;wX  \`Np4
 1%&u <mlg YE I -V\$f !\$El  !&!  -s" +zd}9
 +wNI 1(Od /Cij 2iBG 7tre 2g-A 1% g (IRf1
 2Egh!S9Mf#=GxE#uRA9"/03* )\\{  'eC) 7t>L5
 ,T<? <tK6!R<9%"&|;E"XK&^!Cy%J o5LR +k8W0
 1(Ur vY2B!QlP6 7FcE "j{l  "38  :Wd 4Eue9
 1(Ur"L"n[\$8*v/#E gA .|0.  #=& !i?/ -_/'5
 nZmT#\`<^J"14>R  2YC "sw, *1K| t\`,L uLNv2
 k2U1#Xsrb"'*16 +eh' #1aA .Jv  5(4- 7\\{<8
 S9;]!RK[r  #=&  0Yn !)Vo *47= VRpq 7wV<2
 3\`\$4 Wop=!I\$lL!Cvc0!|?V;!a!CI!/}p{ 0lh+0
 (60^ :gtX!14b.!gm6/![pNl!E\\_4 6OsN *2VP0
 &l!2 &nBT %+_a !b;{ (Rz2 (QiP +y/6 %*Ej1
 T}5@!.BgD  %E; N%/< p5MK *%jE 3b^0 9xbN7
 "b/a *2YW 8e:6 :;\\M ;?;# 86-" +3H* !(h@6
!/<\`)".\`#\$ %2_l  Nwq  k23  'W: 'Hm(!66 P3
 T|}m"@|hk  &@J  ;=1 !7>+ +L+a ;^+R XFbn2
 #!9{ r\$ma\$>]._#Pd<B !2u& !D*6 !W!: !D*61
 0|Ec!,M+y  (zF p\$%p p3o! &e<w )yiY 3Og,7
  ;tQ !:]c /2J> WPa{#'_|D!k6*q  ;z_  NhN4
  hno (NIv 5Z8' :aPt ;<CW 8[os .i\`v  }>B6
 2kE# PYA*  &\$i  (UP  ([^  \$=n )!@7 2kAz3
 (+M= *7f: *7iA 1'j( 2iv\` 621r *4kV +xX{1
 J[RH)RS{y!r{oi &j=> !2PA  \$E{ (];U 2kU_3
 JG>F#?&:l#iYx;"\$J&z #m]V   H? *;CS *#db9
 &F98 (S"@ *7f: 4O/l 63<F 7s3x -[^* )x7*1
 *\$1f".lSM Cy2m "P;F 7w6) +=^i !?)o *&@^7
  |<. &^'L 5Z8' <OWy ;<I2 96X\\ .s*B  re.6
 4L(l 9:Bv 0"W5 #27Z #&!h )>;. 6:Qq 7_f[8
  akn *47= u0C5".#|q#at@<!4R/h  EM@  X8(4
 )p)U"fbSs  ED+  X8(  ;O[  !Vo   Iz *7y93
 &l!2 2k#4 621r 7sh3 <znE <z:, 2ba5 \$i8t1
  sEt %(0d 6,1'!o:%P#a'%P#E^nr J"]w !&\\-4
 )frU 9"At w,Se!5\\O\`!h"67 QVIO 6rTH &Y0<0
"LMn*"hi;J!4nW< 4!!e (JT%!7_Lz"zT\`e!n7ry5
!N0Q%#=re7  0Z2  O#(  t\\d  2_Q!_h%>!pB%.3
 !;tS -[,v 5vY\\ <L\`>!6#/Z Y!su 5fCk "v(h6
 sgMM",Sf}!Oxl2 r%&o ",+\$  !(S  0Z2 Vacg9
 !<AW (P*c 6"ZH :}l,!6*[q thNM .uEY "v*E6
 !Ksz!2k=l/h#Uu(w.J> /;=O -VZ\\ #78! !D*61
 L\$)j!l)|8 \$ m=!4QQS!\$sT: \$wcl 1tPj 8?L.7
 ;"<.!S:&B ;for 3Og, -C/? !I^t!@7.? X?R|5
  Dw' !Dgd +i7% t0+r"a"q{#^u@K hWZ,  E={4
  iyC (Li+ 8nfX"I&ip#}6kL"gHub  Wam  |<.4
 )p=: 2"VB   I6 \$PjL 9?h" %Zo' !As0 +U!y7
 r!5O")\`hU  sEt #0"T 0k)> UaTS!R-R:!4R E2
 Ci}2/gb'2*"Xa]!lb39 -Yz6 +oG\$ .wB3 (ItU8
 uKG[!,W&W  (OB  N1. \$pNA :\\r-!n{p6!S<\\/2
 r\$so/C9=\\ xz{{  ED+ !As0 +iWj <E0] uLAt2
!CZ%V#bMLh\$GE_E#pF:\`# %p1 r _6 Ca,!!Oq\$K5
 64zo %S:P  5Ov +qBY )6e= !'f_ (K*> 9#[k7
 Va)@!RU\\^"-qos s.Po &:}L  !(B %O#C 7v+U9
"i-1\`\$>W?X#sm^F!5Rfy +lwD  NhN DX8p"LIy?5
  D?e &W}Z T;5&##Vvp#\`0S["LM5-  '#!  E={4
 4P1+ Z :! 9RRW />]) />]) 7bQz <SAP 61'@8
 7wX: 9=1> 43 a *47= 2WUu UD=j"%8Ol T|CF8
 \$txM 9K*\`"-w\$B#>qVV"KgIE )p)w !:,Q !\\!_4
 1(_) vJ\$Q :GcO -^uf   @T   C[ 3\$BE 1(bA9
 2Mmc 7/5"!LL#S!CvW6"S?"{"SCwi!L#sd P{p,0
 9ZGc 5V?\` 0r2^ &R\$& *5]P 7*US YY+6 Tw9j8
 0{>8 r;QC!E[[2 SnDX \$/tm  !!N %;CI 4BFh9
 7s@6 :Xv= 3j7J *6OJ -[[# 9#-\` ;oGD 4Om<8
 !9S1 5i#e u\`>E Vb8E r%<S 6Gzf ,r.6 !1df0
  1)y (IFJ"hs2n#2v=g  %|[  'Q,  (!7  )+i1
 \$d"| tl/. f4Gz  %?-  &hG  sEt ;@8u "U-x2
!Os3e#uh!L Z;G\\ !Xi<  NLm  !#+ I\$a{!QWgx3
  ;=1 !:)J */k1 3l5B!nhg*#"U!{!nJTL  ;z_4
 64yE VR\\Y"h#j"#(1 w KWmh   J- -v;[ QUc>5
 !132 #DXE (M?D -_2. /D,Q 1!=3 +k2: "v%a6
!4Q4H!+0IZ  (\$> 43u. XEsj *1K| vVLm!5#N@7
 (Gqy!Mx3d"haC7 :xL} +x\\\$ 4EiI 5FO) *.;g8
 7RF7"L/,9"bu,m!Q; 4 +D)d   29 I#I@ T}Bd9
 !M#U (Dgr w!KN"JiQ%!gm?3 VbR| 0#<q #*dN0
 !2{4 *7f:"/>2|#YV'/ !(q3 !132 !)MZ  k,%1
 +um\\ /'E. \$\`[6  \$7\`  %?-  'J| "lJT (SG52
 1(eY!/x*h  \$D@  XP\`  \$|W   IG 'C<5 64"\$3
  :co !JiH /1p| 6mqa!2ms7#"4hd"LMbt %H&?4
!pBB[!Gg|^#9b3*!Rxh) \$=7"  !(d |VhZ!p?[\\5
 !:]c %);8 (M?D 2fW( /D.P /:|F -X]* "v*46
 )y\`D Un=h !d;r  7on !Y+N  \`Np !@h\\ -C/?7
 (Qre/-SI_\$7<P3!2Z3q 1#t5 6)rz 5le. (IRf8
 /<|<"'/h{"s}F< n1Jc   C9   7. #H?{ .^\$U9
 !_D@ 7t%r vWNN!4[z+!LL0"!4\\"[ 1vcO "u} 0
  #9[  &\\<  tMt qsPo"d\\X;  "c1  #9J  #<b1
 (S"@ 5^Og /Z;"  \$7\`  'Gu  ;nC #=-X *3PW2
 T})\$#\\C9F"1wtD *7>= %ieF *AoU!R*i< S:OW3
  2J  !&\\- #,\`z -0C- 8,u+")/1p#bdO2 @^Ca4
 +q@| 9VH[!1Z*Z#\`-5< OK4C  #<Q  Vy* (Qre5
 %%EE +rN\$ 0a(R 41O[ 9[#F 6xn7 2QfS \$w*o6
 0jPb o/a'  #3<  C|m !E&o !@4C (7]! 8[mc7
 +.QM Z(ZS :XB5 2kAz 7sh3!PzKw tAFm /@=t8
 Mtcn"_\\\$)#ncjR!0aoI   3c   =<  ![u /&@h9
 1%U" Yl4d"KFZ8##MYR"bc&9"E]@/!5:jJ 1(_)0
 +bTi U_p_!grKc X2!X   :\$   6{ U37) (6-W9
 w1/G Yg+*#'2{2#(7D9!-Dp,  \$G6 mOIZ!66Qb5
 /Cy/ Y|wi U}uw"Km!- p@2|  -nO 3DOP 4OvQ5
 !_A9 +vx0 3uU4 6(@K 9P[1 5m2& +jRl !F7b6
 Va|R 2I7;!3y1F!pB"'  /O<  &Lf -9=v u<CC5
 \$u [ 4OWi 7Rw| 5m^> Y,"9 X{ S ;#}^ &d8S0
 &L:z 9,6D 9n*S 41V> %xQH   <g /l42 (?)}9
 -&S0 ;?=" 2KqY #G1: /Clq :Q|@ <.5} 1'5m8
 &F3*!0&9U"r*Zk"?;>y 0P1E   BB 1<it &Q{v9
 &c.! 2i6+ 7W=G +pZk (QlW 4<H- 0LlB (REw8
  ;O[ #;kB 0a\\k W<|&"GBnI"g,,R QUiL  ;FF4
 !\`Kk !X+l !\`Kk &kGp %);8 &k|+ #DXE !;k>1
 &?I%!R[6V"9cTG  %yT ! Oy  a7f !As0 #5W47
 +zL4!j'2s >kT^  WPm  XGm  p&< #,\`z -08;7
 1(e7 v?\\o Jlx\$ !ExF  stv   >3 /}=G /D1h3
 1(rl!5^U!"-lr3#'muD +Am6 #L:t 6|\$" 2k/P5
 !LJ5 !<D^ !<D^ !Xc. !b/_ &m\\v (QiP #4\$c1
 #)DI QRP""/5\\!"Gq=I"(W[\`!Ot<K 8lM/ &d>a0
 \$t{T 9ZM\`!Rbvt!nzD{"(W^g shr% 4)p" \$m>,0
 2kAz!R3g? 1)|Z  #9J  &Lf  ;C? \$mU) 7k/.2
 2j+, <2Q; /suG   LN  "fZ  'W: \$G\`P 63gA2
 -V 5 t !{  %|[  DOL +zlF )t4y &\\F_ 2<>r7
 +gU0"/CX9"Ho6- 7>W+ (OTJ 43H^ :6'm /C,<8
 2iK\\ +o".  \\Uv  "20  \$@u  'N% (Ir} +w802
 2i|n!5N3X!n{^?!nzK<"GB1N"Jtkf!RC/5 2j!u0
  21F !<fM 4P.\$#b3b(!%5.4  &Rt  (gz  ;_ 1
 4OyX vS[@ :&ul %Kdp  %HB  2V< \$cA. 2kWF2
 !N.) &m(] 2c7N = mM!6(w( <KE. 0n{v !<ie6
 /D\$D 93*" %N=T  t_k  k8A &s*A v#oS -_2.3
 -_G_ <ZQ  1Wwb ! >y  \$HO   RK .-D+ 64YD3
 64V=!0<%@  'f]"/H)m""yh4 !LJ5 -W0u 75NG7
 *.Z\`#E+<6#s}/s  trH  /T1  3/K /!a; *.W{3
 2kB-!RhVi LYIs  XMY  \$Ej   8G oBZ+ 4P4v3
  0uO !(@! &h(8 7?%Y",4*0"i,&Y!-1N\$  )1w4
 !N.) -[a1 9@S[ 9ZlH Z&|K 9\$'E 0nG* !O\`X6
 !N.) +x\$b 6,[4 =%L% Y{M% 9-OU +bu? #*t\$6
 !;7% *5Ao 2Y6b 9NPH Z!x} :AMS 2Q{9 !3C!6
  M]z #8BS /'wj W3\`v"*IB0\$!jEV!/)@S  ^9j4
 !;CA +Dn( .[UJ &Z&#   @!   6{ 6nMf "kN:9
 #<rm !<T# !ODw !Eo1 %)oQ +xX{ +wNI #4-x1
 -_;C 9:U !o8F/\$Y?Tp!L%yi  !%L )2"y -_>[5
 "|sR 0d>u 9y#X!4x@4!LL1n!/G3R 6rH, \$tJB0
 />2% publ!N?Th 5r#4  <cf   E8 &x_2 +q-}9
 'mMU TmsG 0(CF 6SSn w0t: m5el #yAa &GS/5
 TxxW"g"=]#U,0\`  &CQ  ;tQ  a(2 -_O\\ Yrx}2
 %*Kx S:L?!RrJd Wu.! +xX{ 0rWC 2@.W \$mS]8
 -]y> 0q.) "4JN   R)  "2c  0Vx )p>T /Bt(2
 )vM(!5a\$N!n^+S!iQn/"@Q;"!LLv! W:@+ -[^*0
 (Gnr!S-}s"en;z"@\$7M"%04Q sqXx 3[wT \$vx"0
  EPG !3/^!/EqM\$>-gh @V95  ;wX  ;}f  2\\J1
 S:[b"FF4c !gX# -V%;!4+Ii "z | %#dX 7,#t7
  ro[ !I^t +KUH /"uy 7uth 3ZIg -)}| "sL(6
 7wEL v5'j &u3+ #)JW  jq\\  + n .WTe 4P4C3
 -\\eU Y28h 9u!' &uX!  (C&  VN& +o|W +\\*r2
 #2r# #4!\\ !)MZ !3#B !XoJ !XoJ !)lS !OWC1
 LHmr!M&\$^  (t8 "No\$ 63em /<|< *%6, 8e:67
  iyC #/LL /(/p W=mm"f1/Z#C7T4!nJH0  t"=4
 !\\Ux &h\\Q 0}J) 62Md ;?m, 9MBQ 0m"I #+!96
 2kAz"fr.F B:Em !:\`j  j[x  \$o" *?-* 7v\\g3
 \$uNf #=I( !O>i !)Vo !;7% !D*6 #D\$, \$}ne1
 S9)3"ISdR #N:I  aq| !WQ"  )en .(;y T}8X3
 /B\$o v@aF!4bsS 64pR  G6m '@=  YQe_ /:a99
 %(0d &n68 *6LC &lRD #F92 #FmK %+"3 !Y#t1
 &R9h!42Oq!GBU]  Bwt 1(r} 0\`R9 "|6\$ &ig%7
 !&\\- !N+" (K^W +w > 62TX 3QPY +U0X ! K{6
 +S"F <Jp. 7">i #;b- %)oQ 1pa' 6b){ -QZ78
  &}x !2{4 (Bh? 5Q'z",+70"K\\qZ!QWn(  &zq4
 *7u] v{'. rS#v  ti"  \$|F   G7 -+k' /C|G3
 %);8 *7Y| %*z% +y/6 /?g[ -]p) /@r/ % E 1
  akn &j=> TX35"K;J%\$ zZN p6iR  t\\d  sz/4
 (Pb% w.*y!5p,1!QXE'!Osbx XP\`u 1xty \$mGA0
 -^R^ &K6V 0;:J 8[mc 7uO.  L1Y  0rH +y/65
 1(Ur\$<G'B!Z5&+ !3#B !33:  "\\= ,'87 1(l<3
 !PtA ![KF +/3q 64bj 9#v" 45\`8 .l2  # );6
 +T39!k_HK"wY3_!4CTf  )pq   B1 ,EoG *\$7t9
 &m+d 4J/G :S{s!6#pS!S'uN ;r5\\ 4& q \$w 06
 %)oQ (R?i (P^| -[[# *3a\$ -Yz6 &j=> # K*1
 /C5Q#E-xB#ni'r "P.U!n]YI iB>_ -W0u 2EiE7
 4P't 2f({ Y=o, 7r]_  N:C  (\$> &"c= 9Wtk5
  /z@  |?5 /2{P v'x4#yo+I%7b8.! (QB  2e_4
  DHz !C"i 0jS%!Q}u,#x#RO\$>ZPB ]YCv  ESN4
 &RCc!Q876 JqK\$ "D%v 7wR= 1t(m !132 (NIv7
 -I=?",]^T#Q]BX!Z.Ap  !zL  &4.  |Bo -_Pi2
 /9=z 63mX &d)A !2u& *#a[ 5/b2 X^uE 1%X)8
 4Lxf!5deu NPr6  %?-  &zq  X>6 T}9q 3zL:2
 1&b["hbr_#Vlb[ E_]b  'Q,  NhN (?^} /D3b2
 1(r9 /=^q WY.9#&#R"!.}4B   x8 !vQk 1(r95
 \$mGA 6{J\` I&rr "l]r +]|A ":&E !5]> \$mc"7
 Kvo[!bcYI"8 r: TL*x %RV\`   6H gv ; /\$Ym9
 9\\>4"K:{3\$Uk"e!L/9\\  #mc  %KI *\$i( Wn:C5
  :p- "riQ -CcX!n|LL\$[c#H# l}r  'ZA  Dt 4
 %!Xg!/96e!6!-  -_8< *5v* 7t>L 7vSR \$|d38
 (I!T"/Ej8#Y/PB!2OSW 6.<! Yh]Y 7=nF &d2E8
  Wam %\$o, .s#L!4\\%s#!jex\$=-Bp!i>;I  a+94
 "s\\B 8SID o*L7 TOx]   -f %R+: 56LY &QDV9
 % K. /CN+ 0kX@ 96v;!5\\Y} ujOK TMLZ (RO.0
 2('i u<:P 6i[) (Qo^ 4&VE 9lL\\!-{Xj 1#?z8
 (@+< 5C;k lwJ4!B3wJ!w3;(!E[@7 8rTn (RO.0
  E4w -U{.!S;z\` -{1t  )DC  );.  2r?  E+b1
 OiRF!p*LK#<;1? ?\\br !7rD \$y|= 2jEt 9\\5t2
 /?3B <\$+|!GFTT  k/,  W!k   Bu 5Lr| /C>f3
 &e<w 2)Gn XjPn"buEi\$V'b6#bcE3 ET0U %%y^4
 RpY\\ UQU, 4P:@"iRcu D?M_   BS fA-w w"h*5
 ##jb 5mcD XY_M!oMXG!p/G7!/Ov{ 4#ZY \$mVu6
 !3F} 2Ao! 7"}0 *:g, %"XZ +]]j  z'( #-757
 (+VR!3a41!1?B7 2k8e  ish \$R=Q ,rvE (S+U8
 )nNv"F3:X!N^-x +P=y   :\$   3t ""X! +zRS9
 &5ZA XFRv"#\`=V"Vf=n!CvZ= 9\\^\$ 5|b# (>MV0
  %NP "l[b!p7ih Jk?E  &\\+  &\$i  '2w  \${q1
!6\$Um#EOKa\$46cz CA?[ !T5y (Oe( T}DR s[;72
 63sf!ofln IFtG !<T#  D+< &o9T vS_\` 2kB-3
 !'2F (A)R 76*n!m6S%#\\X.S\$>o}w gK;# !B}b4
 3pyt <dvO!kI4A"LKrd ';T+   =+ /nIk 9Zu]5
 \$d8O 5cbX u_F,!O".o"gG@= sqP8 7%l< \$mPg6
 "c3u /7@h 8Ro> *NuS !<qP  aq|  iE* !I^t7
 &H3! 4.kR"I31| S:<z !Ec7 \$dX. '{?. \$mS]8
 4P*{!5>bM ;-TN \$MG'   =M   F@ +EyQ 1(e79
 \$F[# 61U\\!NN8;!_9Wy!B3k.!-k)[ 2@\`> #!9{0
  &Y5  b,x!1*lx#(3E1 B;+K  (3a  '3;  \$|W1
!S*pe#\`q%f"{>{=  jO\\ !BII #AsV S:-5!S<Oq2
 S*V-!Pi>u %=I, (@"' "kN\\   F@!DD@. p>Es3
 !7>+ +hP? Upn-",(B8\$YkI@#EU;, !)JS !8H]4
 eJmy\$V*Qu#2qI^#@*RP h@Y.   1S #[1W *8\$,5
 +_"e 5PkT!4[\`8!k8XQ"LMm"!R2}0 8hO/ )yZG6
 #4L? 48lq :7Q\\ (\`*= !F=p %+7u !.|, &fGK7
 #2Cv!4)V0"_I3" TizM !N"/ \$[+) &KVF  }:U8
 /&@h!i}o,!L\\LT /.Be   6{   -f #Z]p /D'm9
 \$^ao ;-4^"#r^A"Z/[W"=)i1 r%;m 0Z>^ #*3<0
 QJET"c<.E!2|xy -Tw=   IG   F@ h6*& XEv\`9
 94/N tZ-o!glwW"i*]\` DAkz   :\$ P<Cp 64_c5
 j\`m1"._3:!LKsk!Rq^x F%u+   :\$ Gfyt!66Zw5
  }Ig 2H K sq8f!fR9r!S<Zt ;T;" .uYJ "c!l6
 .[J% 5|Ik U2;g".}id D@aH   @! R#=h 1'?\$5
 \$yxr 4OvQ!1K[0"=)uM!\`|=s!JgL| 8sbI &Zx>0
 0_%v <3XU <G)N (*bH   :\$   <x .+fE 2k8e9
 "|vj 7YSw",!,| vpM3 !OQ5 +:<* 3\\P0 &HZZ8
 V\`_C!hF9W tfO9 %|^I   Bu &o#N!NY\\D T}/C9
 \$Xf; <I>v 8xR! (@G. !1X9 .aZ5 2+Vw %"878
  W^f !Kz* 5y>m".0ed\$YaHT"J_OB  EJ9  a_R4
  \$H-  O68 nR9=#E?=[ B4TE  \$H>  %S#  %R_1
 &e:g 2BGl s|uI #id: &nf1 !:sG #A8k )zt-7
 #*j\\ //Ra W6Y["C}g) A_zT (IeC !&\\- #8BS7
 /%0(",h;g  \$7\`  N7< !)c-  "dJ 3!T0 /D\$D3
 941M Y9#1!Pc*g owx#   }\`   C(!k\`Oe OpB{5
  ",D  1h@ N%.E!KMU<  "f|  "f|  #qP  #=71
 &C|\$ 9\\:z!3#Ek"!fnZ"=)l8!JgOa :kpY &>Yn0
 &M|n 7d&K r0+*!CvZ=!CvW6!G@ # 9)^F (+bn0
!4L*l#\`Y.= ]nhZ  )"T  X1x !2J3 Oq=\$!S'6!2
 X4{w"Hc]i"yYd1 =x"!  r;B !-=? -_O( <wt62
  u&V +aS= ,Bpe   E| !3F} !<W*  aYD !8H]7
  N%# &YFS!/l6v!3f4E \$Q5/  ',z  9rJ  <8@8
!p1-]#^hiq"_j-!  M#S  r;B !B\$d QU}d!p*_(2
 4LGT X3*\`"GM{w"E]HM# &,y!k6U1 YJVS -_Jf0
  .H3 )yfR#bY%,!'!,\`  \${q  \$|\$  \$H>  &)<1
 X5R2"gGF)"Zp{L  sz/ !:)J #CmP T}C[!5j9_2
 !=I\$ 2<s- 86![!N2{)"K5>W!1+ M 2+}l "c+46
 lvT^#C7f^!Y,EB %"50 "kQR (]@Y <c}? 4P.W3
 /\$S_!PKEh  %\`z  ae\`  V|d !bxT WT _ +gqf3
 &RE/ 48r] %\\u,  %BE %"\$A %!45 !/RE \$yDY7
 QUW""K^v\$ !)Yv !XrQ  \${\` EY][!R_,k T}/23
 S:I8 rYoF  0MR !<Pz  7p2 #Gg0!NY'x ;@oQ3
 !&'r +iWj :9rK"IBBt#Y0ew\$!j2y!E;}K !As04
 \$[B7 +U!y 6Zi; ;JN=!pB.T tCGl 2)e, \$d2R6
 (A)R 0Dd{ Vt|Z!Jg2x"eC4b"H)+w us9G *%#\`6
 %'&2 /4(\$ v0^e!593j"LMiW!osa[ 99_[ &RD'6
  \`Np (Bh? T45,"En)T\$W\`xV"Jhmh  aYD !'f_4
 OPVW o*S^ 8OEG \$9xO   Ek   .L &xNT 4P1^9
  .}C (7&#"iHG}!%2}^  \$|5  \$|\$  \$|h  '3]1
 ,l%+ 5t6* 64{3!n3N{!'Ym)   3t *9,, -U+45
 -^II!p%d^"|Cv<#pF^N#S@nk"bc5) vJe[ /B.&0
!QAit"@\`xH Sh8y &:6x   0m   0m!-cUz r\$ma9
 4(bz 7\$y) 2kWM!hI=P!i)y+ #Gka!I&^} 1(Rk5
 u'79\$7f}x"WGvy  WXX !/RE %%EE 4NRN!5};"2
 \$F', V@O1 7#DH &Q2,  (n;  x+Q !?R0 !EG48
!S4qQ#^hiq#QwaS  E7m !'2F &iv{ 64{"!6(aw2
 2HTd!66a'"g|32"_;fP#6;*."_;c8!5Wbm 1(_:0
 \$Vy2 2M}( 65I.!(UbK!ba#m"&rwT 9&rA &PtK0
  #r% FlWW#bc'B!%:63  #={  #=j  \$H\`  \$|h1
 \$mJH 5h,2 U<:2  Ku" !F=p  VQ- !.|, #@.97
 !HTB +UV4 :\$/!!R>G7"i B,!k@*3 4\$5x #*gU6
 N#'|!h:Ni  Dgb !W\$A  8Bo   C9 1d3t /:Nm3
!o{,'#\$uj9"vf%2 !?)o %#0? -9bl XFgA!p+p_2
  CH! -V#<!Pr]_ Z3h4  (<v  (gz  )AM  E\`.1
 \$mY| 4%I? /b3W  %B4 \$Z+z (Ir# !JiH *'K27
  iE* !I^t 2*dl!4t""#ZrA?#bdRl htHe  |<.4
 !>SV +gv} 54I} <EMx"/ Y_ ;g&N 5R;R #*zT6
 7w90!mZ82 #ahm (REw &>vF  !Z\\ %WG@ ;@l93
  %R=  X,.!/F%w#EUPL C}l>  (gz  '4T  '3L1
 4MU/"KIp( #IUc  C>H !)lB %.6h!5:3L N%!T3
 )x:1 tI,V X{!( ()[P   :\$   C( ,b9N *.Au9
  #9}  E5L!1)bW fS&e  \$u0  \$G6  %R_  \$xY1
 \$mWJ 0Sd@ s|>: |B,} #+ t !1Bf !-=? &\\zx7
 !8|v (DI, :\$/! Y+NA!S)Z( XG_I 8oUj \$Q?;6
 &H\`h 5O+=!5#i* 1%I(  O)6 !/O> #5|* %+bh8
 !#pl (K3S 7&x:"I..r\$Z @D\$>fFf "aS: !Ksz4
 )n37!RSr) _:_#  Bk6  \`}P   7P 1d.L +ze03
  #:R  N_}!-^*@!IAET  !(1  "2R  #=7  #nI1
 !JiH &f{d 5LVy",2?{\$:[3D"iS*k "tJ> !N+"4
 (&{# 6!1. r03Y!Cvhz"=)o?!I\$\`t 9%eL \$ZYR0
 0^fI :0QQ!Pv!k n+d>   ?]   6j!fS;B 1&hi5
 /8*3!kbKo  1?L % |@  s3J   Hr 4e8@ 7vl,3
 !\${@ +\`-9 3Y3]!5@zI"/H\$x ;T5X 4\$1% "Yah6
 n<*["DGa"")0mE &;GI   :\$   +4 #H7L XF_V9
  jO\\ +lC+ 7,#t v !n!pB5& W*da /*mY  b.U6
  /Sm L@LI#E?rZ CzV_  '2D  '2D  '2w  &)+1
 &R@m 7WEC <8VY 80Dm  X)k !auI !B}b (Ms]7
 0B@R 8|d[ 6oA, 7vxj   1    (> (^D[ 2kE45
  z[A &gQ} 5?6U!Q{{v\$U|7c\$[ua> az4h  }Ln4
 \$yxr 0t"] 8t"m"h@#K\$>p03!(6>z !Ksz &i2j4
 #!Te -\\Wm *zhW  #q? !)z;  t+R  q0n !\\!_7
!4M5@\$V0_u!XdW:  E={  {es #BCa /C(q w0Mx2
 "lYA 5i"L!Qa]a!OR9D "FgL  r3\$ !8Bq !)"V8
 T|IT!RD<]!-zm   (\$>  ED+ "st% 1'h: Z*fU2
 u'kR"L0C)#Y&ui ?UPN !9S1 (Nbr 64z+ u*/'2
 ;-=s 5TtW U2;g!ovl7!Ivf2   I6!R_%f Op?t5
 \$ma4 6):A <8VY %.m" !(o4 &nUB  |pG \$zO-7
 1y)4"gGq-"|G7t Mc?^   :\$   @! 3I"P 7w?>9
 TjD}!O"1v"%/{C!p5g. fpRn  "1} ,S_v ;=1 5
 !As0 (B4& 3f,&!o#Rn\$[3h\\\$!j<R (+{H !8|v4
 "Y!D 4&O/ r%TG"Iy\$O +^0k !BD! !^.% !2V>8
 \$YRZ 9EO>!gp3E!5d\\\` #4\$c !S%9 #Co\` !W'H8
  k,% !Utf 47Gf!RD@(#EB^="g[fX !  "  }Ig4
 +z[W Y9C! /C(- ",Ox   <x  !!N 'Y?a 1%#n9
 )kv# 9G\\j!-kuh"=)o?"Z/Ru!dEvF W_a/ -SA20
 \$G23 5\`is XPOS!4)"9 "upQ !2bZ !<"o !'lm8
 0igJ W7h- :FYP \$/iH   :\$   Bd 8X>f 1&.B9
 "iE. 5h]U"%0wk!RDpv *-_@ !J\`3 ((F= #Fv\`8
 (REw 4NM7 Y5LH"KD6d"K1?\`!O}ia 7P_M &[NW0
 !Ksz &n<F -_2. 64V= (I[{ !Ei# !M N !&'r1
 )t4y 5kTL 4W-| *J"u  ^n% ){JF 4KA4 'bM]2
 (S1c "_oW  X+{ !)Vo  ;}f  %sF 3\`@& )ycK3
 #7l: /;qh :fTu"hs:Y"/H(2 )ff9 !;qL !Utf4
 4=-i",ols!h!n[\$!X-^!-,(g !8|v *3a\$ 7or@5
  '8R  jXq !_GG (SA9 *3G1 1!ar \$E!o  &)^6
!1(Zy#"_5" /1:S /C/C %&Ow -X;I :SGZ t&/j7
 "WUU +zUI XFRv"-JEc!%j&b NG]6 (""j  V)08
  .w5 *!&F sdu-!66tH *{60   |i  #X2  %T^9
 %)>? 4DzV vD#1!RkgB!R3'_ 9fqK 2&"J \$mGA0
 #<;M r\$^>!pAyw!S<,% -];n *4kV (OTJ %(d}1
 \$N\\: 4ND" 0)|% %A,S  %sF \$4_. 1(tL &N5'2
 &=hI!S&y7 bg1[  )8'  &I_  \$o" .r)4 \$b\`w3
 "z | /(FK :@Zb!n\`Fx!pB>* 4*0W  X8( !BII4
 (6}Q se/2\$=\\jn#b#.F!nW!o \$|/x **6Q (Li+5
  ]cQ \${Y_ (Li+ 0[w, 1(5- 7\\p( 9Q38 "lI'6
  kY( +zmp 4P8t \$E\$2   ?n  "W&  :fv !+\\R9
 *6OJ 9H&g W=f\$!4\\!d!o/=m uaX+ 42\\r &dAh0
 % |@ 4OpC!S<,%"LL0E#(Uzt TxxW *1K| \$rcG1
 \$\`B\\ 4< 0!2|od f.*W  ;qJ !)Yv -]il (@T42
 2jbL".D5""W?{p !Eo1  X;/  &'p  0(m 4O|p3
 &]Q3 9SJ_"hIqY#zaem#}rh6 QBc% (F)w (Li+4
 2kN8!S&*x\$=yb^\$!h?Q!'po/  EJ9 )o:b 6\$oN5
  0c% #3B. &h\\Q +KUH 0p2x /D0q /C[>  9C{6
 2i|n 7Y}Q 'e4J 2kKd "}wv %'&2 7Hyd 6w,p7
 )p8x!5ECN!S)GK!p281"fdu7!E>hj!+ss0 +i#Q8
  iE( 1%0% 9ZY( (SIF   S   \$C|  2"# !6gp9
 !%QY &c76 7Rn4 <%d[ <M0I 8e*q 0iZ{ !BII0
  LIq OoV^!pBCA 06ik  !'m  %sF  2S5  E={9
 -V#M#(UV \$[to3#_ RD  a\\K !:)J +u9C 2EiE5
"d>#*#(WJ.".vox VEd! /;qh /1<c!24mf#'O>g5
 !63W \${%F -ZPO ;2c0 ;@|1 Yf8( 49I: #4GZ6
 *-J1 6'<8!oK=3#(Sen"(>sE !-=? %\$:q -C/?5
 \$u#b 7W42 <%X?!5#m}!ngG%!4\\!u <1tr (S1t0
  M"K :oz1!R-%7!4PX! &5T3  'or  &_2  LM:9
 ! ;a #7if 6[:= :n[x"iQP.!4?rz 1% g !(q38
 +gq"#(/V!\$!9} "JgMR \$>%Q  ae\` \$jwa 1  B9
  t(K &k5F +R*> 2k>s Y\`L} pAnb .;eJ "any8
 #&!h -We0 8n{S!4p3V#'iE*"/Gik &Gqu !As04
 !As0 !NbB !Ei# !2q} !)MZ !O8[ !Xc. !;h71
 /:Qc -#F"  \$=n  M|s!66gy OkgL .VWW 6>Gd7
 lt9J#{zue ZZE@ (I|Q Z(ob :p?J UE2k ;]EA7
 w1"V M"Eg  aPQ #FpR !<AW  akn !<Ms Z)9=3
!S<W\\#bM+,#zziG"h6a& vCUi 2<>r V)BJ!nz\$X5
 !D^O !Er8 %+%: (QiP &kGp /@=t +u9C "q^}1
 !_xY +yDg 9JA{ <q:n YGg% :{E/ 1(nL !F#[0
 0g6R *cFr "4>! 7[Rw!14\\ !1,Jo q5'\` /-Iw0
 *72! /#t1  F=*   E|   No 3r/L =%\`t -]\\%2
!/Ac"\$<>q_#O}{k =./q  NeG !9S1 4LQr uLNx2
 uEmt '}eV !@n{ LHlY#EP%# 8e:6 Xc,  sq8f7
 -U.;!S9kh"KogV!-a*L XBrV!o6eB S^r4 *-\\98
 #;h;  sd\\  #9[  !\\[  \$xH &475 /D%* #*E\\2
 !9V8 &lq, .WRf vCuH!REmQ XcL! /#x@ "lRM0
 !Utf +z?v 2k&; w0du"LL0E &aG& !S_\` !HTB1
 r"@##&;IK!_qeB !(<x *2VP 9SU0!5kgo 7u^b2
  oP# %%y^ */k1 4D@/ 4NBE 4H4V &hNz  b&j6
 4FX<"heB?!^^LM (P-j \$|/x ! #)  t_k 7vSR3
 nGKL!+\$@Y  MHI !E:v !Tj4  }F\` #&V# X!PZ3
 r\$&|\$t\\o'#*Yvy "v&G ;?'\` 2O5v 3l*a 9xbN7
 1(_) 0@hz  #j\\  ;LT #4\$c *7oO  ae\` 4MO!3
 /D'K 28F<  O)6 %*}, \$}:L  NkU!-|;A 1(Od3
 */6v 5cbX tU[f#'VRh"LMi5 &5\`O #0Vm */k14
 !.Gq *2VP 2O5v 5H Q 9Hql 2jt! +y(1  }u@6
  _D> !D*6 -W0u 2<E" 7d]k 4O\$X )uqV  aJ26
  {1Z #D\$, +qwi 3y,P 7d1, 5p,0 +cHs !)ld6
 2O5v Y+cr :Gc> 2k/P  |pG !Ksz */k1 4!!e4
  8@N 4B,u!5UFs XF/;  !!N  &=C  0_|  QM_9
 !J5/ !X.s %*}, +ycO 1&_T /C,< (S(N !CS{1
 64uX!S6X]\$ZY&z#(R[< -Q%| !9S1 *2VP 9IIs5
  ySt *7oO!S*jW".w7!!oh#_ WRH! *8'"  j7\$0
 #'/C 5/4' 20"r #4JP   @T   1B #osu \$Z5S9
 *7\`, 1#?z 6#0a XEj3 0j:K  (0Z )p#G &d5L5
 +x'i *66p  RR%  \$x7  ']H  auj &ngC *5*A2
 !)\\} \$yp! !Ap) !)ra /Cs! WA[d Spw> "u3#8
 (I[{ <YF;"K1?-#B7w\\#@S7-".+Y4 WK5J &[[&0
 !8H] %+P> &n68 (Q57 &kGp *47= %(0d !1321
 -L4z <]2w %4-| )p:f"iQS5!*3{\\ 2<s- 5!Ry7
  oP# (P*c 1  B 4:L# 7vL+ 2YHH +v<p  WV76
 QUoZ"i71f FFau !3 ;  ;Rb  &Rt %w#9 9[}*3
 q}Tb#zI;f Z}f^ !.|, !?^* /2G7 =%LG Ytr!2
 !.|, !1gK !132 !W!: !D*6 !As0 !&'r  {1Z1
 QR_E#AenS\$H(dP z'e_ r%)v sa9a 3uU4 ;]EA7
 )p?( 5J & ;vo; ;#k4 (?He !JiH %\$o, +qwi4
  q0n &^[e -9bl -E{e +zkO +ubj \${Tj  jtR6
 +yrr \$lL2  ;-}  EVU  (*L  &!b .Jrw +z^o3
 !7>+ !N_; !O8[ !Xf5 !El* !O8[ !O8[  a_R1
 +pE:"/H!>"L:kp %w>x  <({  (9o -&bS -U(-3
  q\\G T\\}B".V!t!pB+< )I7)  EG2 !T5y "w5]9
 !_A9 %+VL &nE[ &mc& %+VL (R?i #F<9 !<D^1
!QV|.#bQ9F |FZ2 1(r} ;=e9 4+"Q!R)4}!Os9Q7
  yPm #?#e +^LL 0N:c 7*8Y 6/}0 +tLq  tGw6
  }bA /4M< ;06% 4P.\$!R\`mW!-f-x 5Cl}  |HJ8
 !I*[ *1K| 7HI'!R*;B#Be4a"iS@> n4p) !^6e4
 -Unp 8tlj \$!IB !3#B  <%t  %|[ 3kQR /D\$D3
 !K?a !MTg !2x- !ODw !Eu? !b8t #FmK !M N1
 !RU. (Ms] Tt65!oj|v"L:v@ QL>y !Er8 #D\$,4
 !'ot /Bwp!5oUe!o8r*"-cvQ pM29 2kNI \$XiB0
 -8jd\$[fD;%7[Xy#EG+b \$<5A !(q3 (5|4 -Yz65
 /:EG 7YOF \$+:i  E={  %sF  #9J ,I:G -_553
  VQ- #;-r (Li+ 45WV 4OpC 3xhP +YEw  W@ 6
 -^R^ 4OTb *8#y  A<c   @T   Cl !e{x +q@k9
 #*R\$ /AKO 9T x ;)ca Z+5i 7lLX /C 1 "umJ6
 !8|v !O;b !Ei# !2{4 !)Pa !2x- !O;b !1gK1
 &ml; -^qF  -r< eB||#(Y-< 0}", +wNI \$yDY7
 ;"s, ="N: 5m/+ *0AJ !/RE !(<x 1% g 4=wU5
 !A>u \$wcl 3lC]!R/rT"LMl^ q@j@  k8A !E7o4
 (JT% 5m2C!5C/P#'W\\##bdO2 2a(V &j=> *0AJ4
 *#[M w0q3 ,Kw9 "c2J!4R V!S9=] 1"5H 0a(R7
 -Xob ="E% 2Nbd !E4h !MTg 6/ # 9\\@j -^\\H2
 /D\$D <d z 4[C=  #mc  2+8  }Ln QSOc 4P9J2
 &+4_!p(k^#unbn\$>APf!JEn|  h:V "|j= \${%F5
"EIs#"i?v( m5\$Q ! 6J"dG@j"L 7D!Q}hL# %p17
 -_55 93^; 4F^J *-bG  CMk N3!7 U_d2 -_>J9
 &[g1!/A1n\$xLGi#EZ"f -/0n  k(| /:9+ (O 15
 3Og,!n{Zc#%9('"/>9, +n#v #@.9 0W\\! 75NG4
 !.Gq +i#Q 7"dx!nr.3#CSrs".cT   \`Qw !J5/4
 -Uu \$!;)R\$xz0z"i\$=6 \$_lC  |<. %'&2 2<s-9
 #*05 48q" ui:|!ly?m!*:H4!/G4' 5W:< "|B@0
 \$N\$x ){o< +W0q /9xC v[M4 r=W& ,\\hZ #7l:8
 "jo? 7T5P!59"H uKSw "b]l  ;7# !-=? !Oim9
 "bHL \$_]d !*tB  pU- uL0@ t?1g 8F-@ &WF:8
 .y]G!65SL",wqU">l[6"=)rF!dEk! 9<[i )vV=0
 (@J5 sgPT!S;'_!S8gD 5sn= Va&9 2kH* \$G?\$1
 S4"^#bbRd":9B2  &hG  M#S #\$@{ 2gzx 7n%I2
 HYkI"Hq5\` \$s9\` 4GxA \$Z\\Y  "aC #pIJ +yGn3
  \$hr  'Gu  VN& \$odC VU9L\$X(0y w6)+  #*'4
 0}D=!R*vq!N0V^!l5^3!jM\\n   Hr  UnV 4\$x_5
 #"\`0 0k]W!56ED!56ED!p=FV!4!d^ 2h7Q "kEz6
 -_K] 0\`PK  %Na -9)o Z+?u !Ksz */k1 /(FK7
 Pv>d!3yWD (S:x !3#B )wE0 6x5# W.6U VJ348
 L,[\`"e5"3#=;+U p,xo  HRc   =< 0):W +^GF9
 (D}E ;-1W"hB9H!f*VC!ba-\$ 7x 8 9>;_ \$ud90
  rWE *8*m 1(b0!66Qb!S<5: XF=E /Cy/  {x?1
 /?3B 2k,I #u)n  sEt *3,i u46C!p8qh 2J;_2
 L-JS TV};  Wq2 *(!K +wQP \$mPV  ;4\` 7vi%3
  _D> \$yxr 5={f!Ot93"-z+S"iS4" FOdK  BLN4
 /19\\ 9;7U v'44"/+Z\`!64_d &yj[ "F^& 4ApO5
 \$zO- 4I\$s!56ED!R4w]"/F{M rzUO 2T1& &R*46
 (SGi -8"D  !(B D@cG#E_!a!gP@q !132 )q}s7
 p%ee"Jre? 7wX) -]s0 ;-VM u^Q+!o@{_ Yr*,8
 /.ZY".FCV"(\\89 sSh+ #q%O   R)  #=& -_559
 -0lT ;@%T vIN8"&s%_"a ?H"(W^4 YlPx +m"Y0
 +Q\`A 63p_ 7v%G XCN} 1% g 1'E2 2kN8 (!^{1
 2J8X =%H| *H ;  'N%  Wdt /@=t"iSPG lB;^2
!N07v"bb\`) 1(IV ;:vq 27xt "OZn %V=R nO4M3
  :fv !JiH 2 *?!N;)!!R/qL"/Gv) &u[(  0c%4
 &52D 5{(o Xc,  vJ4I!S%kK Ct|g  C;A \$LA&5
 "yJc 6"&/!RXMX"Kj5l"iR\`n".\`"O /BNk "l!n6
 *%3X -_Nd  \${> 0s|p w0=+ #0Vm &h(8 -9bl7
 :y?L ;3't /Cs! -^}b 5lC?!4X:a v".4 S9lo8
 (4}| <GD8 8_Q, +pjR   Bd   7. D@\$M HPVZ9
 -7St 9;Fx!4\\\$I!N0gM!\`|@z!QYS5 vU<> +fDN0
 *!}g WW7y W^]- 2kTy  !(1   No ,QZ5 +S(T9
 ;>Gn Y|tb!RO#'"i>*}"L7V" !hiI "lI' 7gRA5
 'm#{ ;2on!Rd28"iSLZ 3g[N  \$G%  tu> &M|n5
 (9r' 7[<O vM"<!R<,#"/G,=!RQia X\$o, (7#O6
 -.<  W]jo#Cz@:"iS=7 *mDF  1gI +fDN OV')5
 (=<t 2i9C V37M!o8_o"go2)"K+wp!45lD (G:Y0
 63U "Kq|K!Rj7g *%4O   R\\  "g@ o\\2s N-%a9
 -I:8 Ydn'!5Kz1 -_G_ 4P!f <>/8 X\\|d -V#o8
 1'H9".:h- tR&9 'cVd   RK  !(u %1\$( 2iNc9
 X+QF"*<-S ujEa 4<TI -\\1< ;#!H t8Yj XD"18
  Ux0 #-<v 1to1 Vm.2!o?\$\\!pB.C !k)   UCR4
 &[#S 2kK1 r\$aE 64S6 r\$aE 64S6 +zl\$ \$Q>f1
 &Hy  0I\$8  !Ye  &Rt MJ9A\$>p2e #Am& +rN\$7
 "v)N )b{Z  !\\l +6Gr Z+BZ %dJ{  sEt #@bR7
 /1<B *t\$b  9GF * j  1\$JN "ujC \$4_. 0cqq3
 .{m6 24(* 6d5l vT%N YhU] !c+C "DEw 2-=a5
 "LPE /D\$D /D\$D 2k2W -^}b 9[9L 64J! "\`dG1
 2D-_ =%U:!oMO2"bc(8"a ?H"beIk"LMbt 48E|0
 )g[: 4!S; ;pb!!2ml2"CxRJ sr4l <R1C (*z+0
 7,#t"i@^k"z7hu !+\\R #!U\\ (-\\5 To@\` 64l22
!nWV*#baH2"\$]#{  jO\\ !0(^ &h\\Q 7vzG"/G|j2
 -L>1 9I@^  %yT '>];"LMmD"(T\$V %\$:q +U!y7
 +c\\X"I\`aL!m2o\\ S'Bo #D\$, 'x:- /^Xp *!}g8
!P}kQ"iL@D edwC  nEO !,2k *.\`] r#<:!p8hS2
 0eR^ 7wNa v4N}"dGhE!k6WA vozT!6-*8 +bvX0
 )d8Y 5,35 1(L] 64S6 64S6 64S6 64_R +Qur1
 vM"<"LF%L!+Qzy  gd= !'2F /:\$O w11Y u74r2
 #&V# /<|< <K!Q vN,n"LMYp!R48A 4DT% \$v7K6
 )yT9"LMmD (lx5 !)%] 1&eb (#R4 #b#X *\$G93
 +KJ# w11\$  #=7 !)"V 1!*t 7uL'  XYu *"(|3
 \$vqr (-Ii  );.  ESN chd?%8#>A!>T\`R %&Ow7
 (+J6 (S%G 1% g"iPBS 'el?  !X*  Na8 *6d{3
 N.L' ,nS\`  %R= )w]h 7r]_ !3,W %cY# 2hD13
  :\`h !8H] .r{T 7"uV!S:En!L%B'  1vl  KBf4
 (M?D -Xob 5d8q <.]z!Rc\$]!pB7i v{bL *-7C6
 *1K| 5w/u :\\r-!5Ipa"LMVX YL:% 5yb} (I:a6
 &Rz. 5cbX!5,xq!npX'"-y03!Qr#) V=m| &?C96
  1p^  \`Np !.}4 +hqj!p,+[*3!&s!%dqq  (I44
 2g0H"KhBU"dU=\$ sSe\$ #oxj %,P1 tZA! /8pv9
 4D'U -_2. 64x= 7wR, 9[vz w/Q. 9Z\`, /B!h1
 -9J4!R6^X!QoFi"LBa@!f4j.  \$G% !)Yv 25)G5
 26h4!S<Gd!R5y>"a <A"]Vv["(d\$t 9?6n -4bG0
 /@r/ t^T0!/WmB 2kTy  614   E| )1IY +q4>9
 &5ry 7HKY!QjqH <pdf".z/B Q_wm  D!0 #'/C5
!QIOL"iS*k =7\`R  &=C  Dgb (Iu]"/GBC"HKf@2
 -5ly!66^1 /D!N 2k#4!6#WW!LP9i!NE+H +Gnx8
 nYVd#\`Yx)"9h<#  2S5 !&'r -XE3!4Q[= qXq.2
 -Geg <7K0!R #j"dG\\:"go"1!4\\\$k ;@rG +Xul0
 0w?0 w0q3!NfD/"CxjO"_;_)!LV6G w'(+ /7Sx0
 (+(G =%?g =%aV!S<Mr!S<Mr!4Q{- 64_R J<961
 +oej 7w/y &"]/ e\`.q\$>p3\\#@MH{ +^LL 1tPj7
 !CS{ +sXV vM"<!o^47"g_=R!6"+X 63;O "lV)6
 -_L2 6*y?  D[h #1dH #FHU  CPr  LxO 2^CE3
 4LDM"-c%q  9Fq  %8}  N45 N mo =%bo 2JB 2
 'v1C /D-Y 1(e7 -_8< \$v{: !b]j %+u4 "_>41
 #<rm &HWS  Nn\\ &"c=#E_!P"\`ic7 !S+G #5W47
  'N%  X8( !K{e Q0TB#|vf#*3!'&!=J%=  (UP4
  t%D #:]g 7ngl!5xU#!6&js!4OBJ 4JDV !(c:6
 2aD{ Nb>e  1a; !132  X>6  /L5  7;U +K9g3
 (S.\\ +zh& (S:x &na< /Cox T|zf!65r4 +R<h1
 &R }"- C"  ax, -L.l 1(kx  =|" 'G6{ )xCh3
 -[?d!p/JO"dKBh Z*s\$  HLU   IG 5N G -T[)9
 "{i  -_2. 64P/ 9[pl XFCS ;?}F 4O|_ "MpJ1
 "l[b 1'2w  #-.  CHT -_<) &=9i !,g& !Oim7
 \$kQ# 60Q' <K!Q!REVT".\\/0!6!^v 8xRe \$d-L6
 )n6>!5T\$M ;+;l -^II &n?M //LS 5k;r -\\7J8
  ClS #1-( 5d?T"K2"Y#@WE%\$x{]N!J71Z  ;C?4
 JHg\`"LMe{ JaDg YvT8 /91^  1du ";cD /7%m3
 .y8Q /D'm sgcB r\$ma!S<AV!S<Gd QUc> (![t1
  ;nC  {es (ES^!RkbM#(Y;5 HFb_  (6h  EM@4
 *47= /Clq 9@xQ :]*D v0fP v:?a S&^* (Ib<0
 0_Z1 ;yfv sgl5"gHlM KAMB   C(  \$xY 5{\`15
 lPy"!DOJf  je/ +vx0  XP\`  #q?  &(g se>U3
  _Vh #<;M 2fW( Tsx2!63c< =%bo 1(sc  _5p6
 *"/,!P1X!"a'=v uLI^  Kt<  "fZ!0<(6 -SJG9
 \$im/ 2EiE ;yfv!5@zI"LM\\f!QmKx TIRi #!M-6
 +RI& 4P.\$ 64_R /D\$D r\$y} Z+5i =%H| \$W\$G1
 +zB} /D\$D  NOt +zm= 4Os[ !J5/ (JT% 3uU47
 64\\K!5Sw[!R)4}!5l[# XDNp  "-n &,U} 2C,B5
  :\`h  N.' !/c# 4>w&#Dlxp"b;9S  %sF  0i34
  0xV  }Ou %'\`j sC(\`#a_gv*P&ah"E@N^  (UP4
 &6!{  !"V  !YC '=ef XFPU \$XVv #@bR &?No7
!2]{H"JU,g fC'>  1BS  jUj *-.?!QWxE!Q91N2
 2j(% w,1T 1(Od -_%p 9GV\\!nj{9"H@U% QU(u8
 OLZV#E\\7l"yn<"  a_R "u W (Q;E 9\\@3 0gSn2
 :yi{ 9B4H "10-  _D> !/RE #BV\` 7w]Q 2KRq2
 "kGy .vG\$ 8?L.!oxe\\ n'xF   Qv  #n' !;@:5
 Op9f R{v>  ).p -0-I"iSSp lrX] &gQ} 2Yj{7
 (?[1!pB@m!pBAB \$<gJ  \$|F  "gb "E/d (69s9
 2jP" <W7C vEjo!S<TD NUQR  !\\} ,pg^ +Zbu5
  0>/ !2Cr />,9!RP)(\$<)]H\$!jKS IPVK  ('E4
 /<H4 <j[[ /Cy/ &m+d 64M( <T\$'!66Ti 2gda8
 )k>r 4J\$3 %"Jr !)Yv #=XK /D!= 4P!f +R?o8
  Dmp (P^| 6#qk"K<W<\$>S:S\$!jB- 'I0u  2M'4
 'vbU Yt<^!R4r5 64y#  HUj   O" )<#e \$v@\`9
 +xz{ <x"0!56nI!QX<V"goA*!oGE0 XFeS +yA\`0
 "u#^ 7rd  <vvB /Cs! 1(L] <pgK ;6}w \$Er>8
 \$Kjk 9\\:z!R>?;!ob\\" *\$)7   QT 'W@P )p/c9
 2Sc+ vv3% ;3&} *7u] 6*k\$!R5Hp"htDz L"pX8
`
