"""Files as other tools' own libraries wrote them: zlib in base 85, so that a test needs none of these libraries."""

import base64
import zlib

TENSORBOARD = (
    r"c-r$|fPjCKJmzwqRNWr0b@-N}6mL>dVrHJ6YguYuiIq{19+yr@YF=@EQBr<lQHox1X>M*}QKepaQD#YMkzOiDReV}zPHH?vL_Bh@fdtgt#r57w"
    r"oIu*)PsmM2EnY5eE|#49;$l$-h6Z~M=V{ZVq3Wb~=LrMVIe^s(oM1#z%3yCQma-5{X#+&*1ZGrI?G8SXW0r?14fJ-A0Ga9pwq1magNrc{sOW$_"
    r"h?N9nDLBZO+&`fWRo*6j*c)UrM7aW&92aw9a<UT_2cr;!77NH7Uff)qT<pcki8+Zy#fJOO2P;6eYQ9|=0MvQ_tW|(fOPEU#O|ygjo!_}SXzCf9"
    r"!Rnc?s86srt`QMdhpONGaHAVYy(`pwDJ}^vwzAaZlKdhkKA;vBAtnw+up1c|bgibKS>piKrX|WH%*B$IUy|y?&A~3j;KW*<UzAcDZvRe00IGiK"
    r"?|+~GYjB4~gB8%!$CGdKqlNtecWlw5V9%%gNo@jD>9l0?zaSTTfvs*~<Z5K(l8MhKNGwXsEsobOPAx9Z%+HH2E=epZiO<YS%XeY}`h!V`!7Gw0"
    r"oQoZ*P{>Ehi;I_w9mq^CN=y-AQeXsnf-NVpGPS5!h*J=1nFCOeGryoDGdHs;wMd9fiX|~6F_(*<iz%lFuIhn3)7Ao40CNGeqy"
)
"""By `EventFileWriter` of tensorboard 2.21: `loss` at 0, 200, 400 as 1, 1/2, 1/4; two values of one event, `a` 1.5 and
`b` 2.5; `acc` as TensorFlow 2 writes it, 1/2, 3/4, 7/8; a vector and a text; a restart at 200 and 0.625 there; and the
hyperparameters optimizer, lr, layers and amsgrad."""

WANDB = (
    r"c-noDy>1gh5P-e@<1!9lR!N8`kXS();MkvA->u8gr=X!c*10V#*=Os{*pjUXbY)5&f`$g=0rC*3qDT}pJO{HbP;7-vvBm7pe&5XWKOP<bzO4E9"
    r"QX@hAoGc+omh)0X)4?+`W$)o3w9|#nvq44bt1~!)oyl}I91oYSsL0`p<#y~?pV`cg*&8-0Sf7Xb3;>#?b6G`*l1+bk4E}uUlj=ijRt#NsPIiNv"
    r"tBdP)_v@cu--)-FqeX`n(4nogoVh91bLdi-6?T}v8%@d*GXfsdcJA;#qr|SCyrht#73S<1i}pnr8*Pk8jFDRFUhH0T1BWz7i_f`#Sdk776BEZK"
    r"QYxnF5v&mYh%SI`@*3FCHc{M9?BSnx5)GHyD4`_m{_C(VIIRcZ4Su4*6Z(VPQ5Q=oBfe25IlS0Zr94zyv28Bl)u#EuZS$V!DWTWuUHV{dN2xtM"
    r"tw@uHvBpemF)1?Sv{^pM9YgIsubrXx0sVwqYYZ&zym4Yr?#F16Nd2D)B~cP-A#Qi7{Dhu+R0~m0zmeKs`ERCy"
)
"""By wandb 0.31, offline, without the records about its machine: `train/loss` at 0, 10, 20 as 1, 1/2, 1/3, `nested.a` 0
to 2, `val_acc` 0.75 at 20 beside a text, and NaN at 30; the run exited with 0."""


MLFLOW_SQL = (
    r"c-p;JS#z5@6n<`gg(ff9QyNRGX8J@NlF)FW#dbS=Vq`3LnBe8IB+b9S5}O5Cu(Mn*W1;1I=R4;+l05M(b7p~=dG1)?l>FV1BwCYAmY#ya$*28u5G"
    r"{f2&a5lT2d*~*?%Z)iaPnz`*981D{mHfI4<uC^wnlN1MJpU;LA(ud7Hv1Jscc3Ztw{I~#w18H{AX`UmWtspA;r2Nqh5e>`-=KdEW>FQ<hv!#NO$O"
    r"do7|>59PVvt@(^5Dm*(7=0bxm2IFB=-<>$n6r!(KA763<icMHDz_CKco8{AmG!Jrk5;j`<~pi63UZB1^#pxbS`U?9-wM0Z3GnP)M{$Wj<~P3Qjxy"
    r"!D1)Py~PO+CSzN7&P4?VEx0B;n$N%E4xX)Dbq?DL7vl$a?yS%tFZ7W-R21e%^r5#SZk=YOoinb^*MP6cH4-Ctuvt*&r^~FoG-O9XpFKvZMu!RGs("
    r"IcC!1xrt8(a$Bq^`D3i3J8Rcsp7=1IhjRdk*z2@zDu>-xcEkp;c0s5%kdjPs$c#KU(L!lC)H&OPsjN#~n)&VC$kVmhobcW+$pm&=;peeat!nLSn&"
    r"Q^UI`_0sb#`^sgEIwb;p>(cTqcVbQX`gpREDwbu^3%n`qyO=xH1%tda?Yd>V_Vl`J`*YW|-7D6-u^l#H_=N6vIKk^u`KPz!;k2dfmhSIxobTl@hO"
    r"jf<TR2>N3)Dv$FB}j-EAe~)n*ly{ELEIX9y6p#dM&?WX;G;EiPV~8NfaKz>(cSeS*xE_BbC&8SC!;($xJiSENspX*giR;lx}JpKnu~aO!wJoTmVa"
    r"2&&9CuSOg4yA5;+(Bt=jnzADCCp;dmfLW3eeW!c#7)beL+Q}a4^fuE)`x2ANea8aF~qA;STFCML91~P)QquwBpZfFo1^i6*{PtEyz2pkfH4ar8h3"
    r"x=KsQ?$<0vtW(1Dj<Qzc7(%F5aF3hjllg&6c!3vs8Cf`20@AfC9Eimv7~884i$BQ*&-1hg8*9y=nw=XqQeo;nQrKsAtPBCYm$sqoqU$zxP>Ymf+`"
    r")yOXoso(ANiq?oo2&)pCiDfyV?H3WTbmY72F&u8?L(VF*`mPfkC=M<k~o_07q7=g^@uuGZ05Q$#`23}YcFNYa+NveFmWSjt#8LQEji7CL+qp+2o^"
    r"fH<Mm4$oN4_sXfyR!Zotg<5+LTby6Lkv!0^SJ^6W^|ht`iWBe>uK^1|b4wJ;PrkX`Z0|R;Ro}L_?bJ}X>`F*4R@9qtXL}y?c`>T5*eR<Xc1XU=s$"
    r"Z%lEA%p}=H|F(BFhr@q^s~nUVVNX%d5XYgfxojnfPUw|M{Z6$ga5yb9Ba9;Y2aBzO+9g)#pT;)ZRM%cG;Ep(3)LF@S4K?eNDBsEv@5KyuCl84!iU"
    r"pB(LE&8s=O)y6_Hh5q*H+jv{(BH2nG>cRclL"
)
"""By the SQL store of mlflow 3.17, its tables that are read: in the experiment `net/a` seeds 0, which failed, and 1,
`val/acc` 0.5, NaN, infinity at 0, 1, 2 and then 0.75 at 0; and a run that was deleted."""

MLFLOW_FOLDER = (
    r"c-qZY!E&205d9U6FTONJ0wEcnd+raE4zmc6FcHEdi6ov*|Gf)NYB#QpQ`4DpvRBf+r`>(p{k~|8>#dJO%6UwAO4n(eqzR3A)an4M9kgb#Aq#M!sX"
    r">LpbP7V#*$t^1qc>3$RS+OL>n69#>G4DnnpSTJlbN72qmpJK%dM_!twQspi{L=%0-Snip1>4N2W|IAwl@ZMzHGHa7d8}4wIRz>tYvNu_)zp)<fQ+"
    r"MXBx!YDWeM?;2zguM9-~-VYk&Gg52)89PYYj@Z7mazr~desdNp!3AtT-A{Sx^aiXBsvQ%r$WhsC&At)N9MmK_<33Bh6YvVf&@#fWI2yOK~DvW0Fu"
    r"n^p?*meyDcOQu5^4f@>3n&sEk4+KW@7$w81ua2~?|O#`I8b>tgxwYm{MY{{?fjUaaZkXjo@RZxA1;O7k0+5N{`mSWx4qYHWZ2tB+dbQxleq;4t&h"
    r"Cc)sRj)k2~W=XDfDlskuh^2*nkFQiD?_>ER=El@75#HZo$t685_>CXKC0d}Pe<!{c&1e<RHyKT*)o4g_E3aMqgIbk8ev@&)T@6xvv3mwmHZighih"
    r"EIIHr<LinmmEu~NN-EZ32I)>h97(s*1|P&z`NnZ}tn1gOaz;770w44|#rjy!W$%M&?ET%n>&rWQYvz<Ti)nh0HoHaI*ChK?Jck@e!d7&;_$Oh`)a"
    r"ywYFT;qK>jZQq5}9zJWF{#`1jLjj1vN+4nS_|=IxI{7ZP%G1c+z#)tfk3@$>*&!lUqu2GSct54x7i_m0jnWQu`0O&Lqu`be-#*o#{Hq@uYt>W7A6"
    r"`bu4Zfsp-@NJ-DBkpg+G&#vhoWfBXa&sm*c"
)
"""The same by its file store: texts of files by path, as JSON."""


def unpacked(text: str) -> bytes:
    """Return the bytes of a file above."""
    return zlib.decompress(base64.b85decode(text))
