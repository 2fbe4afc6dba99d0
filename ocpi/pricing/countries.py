"""Countries whose clocks are all the same (ISO 3166-1 alpha-3 and alpha-2, IANA zone)."""

_COUNTRIES = """
ABW AW America/Aruba; AFG AF Asia/Kabul; AGO AO Africa/Luanda; AIA AI America/Anguilla;
ALA AX Europe/Mariehamn; ALB AL Europe/Tirane; AND AD Europe/Andorra; ARE AE Asia/Dubai;
ARG AR America/Argentina/Buenos_Aires; ARM AM Asia/Yerevan; ASM AS Pacific/Pago_Pago; ATF TF Indian/Kerguelen;
ATG AG America/Antigua; AUT AT Europe/Vienna; AZE AZ Asia/Baku; BDI BI Africa/Bujumbura;
BEL BE Europe/Brussels; BEN BJ Africa/Porto-Novo; BES BQ America/Kralendijk; BFA BF Africa/Ouagadougou;
BGD BD Asia/Dhaka; BGR BG Europe/Sofia; BHR BH Asia/Bahrain; BHS BS America/Nassau; BIH BA Europe/Sarajevo;
BLM BL America/St_Barthelemy; BLR BY Europe/Minsk; BLZ BZ America/Belize; BMU BM Atlantic/Bermuda;
BOL BO America/La_Paz; BRB BB America/Barbados; BRN BN Asia/Brunei; BTN BT Asia/Thimphu;
BWA BW Africa/Gaborone; CAF CF Africa/Bangui; CCK CC Indian/Cocos; CHE CH Europe/Zurich; CIV CI Africa/Abidjan;
CMR CM Africa/Douala; COG CG Africa/Brazzaville; COK CK Pacific/Rarotonga; COL CO America/Bogota;
COM KM Indian/Comoro; CPV CV Atlantic/Cape_Verde; CRI CR America/Costa_Rica; CUB CU America/Havana;
CUW CW America/Curacao; CXR CX Indian/Christmas; CYM KY America/Cayman; CYP CY Asia/Nicosia;
CZE CZ Europe/Prague; DEU DE Europe/Berlin; DJI DJ Africa/Djibouti; DMA DM America/Dominica;
DNK DK Europe/Copenhagen; DOM DO America/Santo_Domingo; DZA DZ Africa/Algiers; EGY EG Africa/Cairo;
ERI ER Africa/Asmara; ESH EH Africa/El_Aaiun; EST EE Europe/Tallinn; ETH ET Africa/Addis_Ababa;
FIN FI Europe/Helsinki; FJI FJ Pacific/Fiji; FLK FK Atlantic/Stanley; FRA FR Europe/Paris;
FRO FO Atlantic/Faroe; GAB GA Africa/Libreville; GBR GB Europe/London; GEO GE Asia/Tbilisi;
GGY GG Europe/Guernsey; GHA GH Africa/Accra; GIB GI Europe/Gibraltar; GIN GN Africa/Conakry;
GLP GP America/Guadeloupe; GMB GM Africa/Banjul; GNB GW Africa/Bissau; GNQ GQ Africa/Malabo;
GRC GR Europe/Athens; GRD GD America/Grenada; GTM GT America/Guatemala; GUF GF America/Cayenne;
GUM GU Pacific/Guam; GUY GY America/Guyana; HKG HK Asia/Hong_Kong; HND HN America/Tegucigalpa;
HRV HR Europe/Zagreb; HTI HT America/Port-au-Prince; HUN HU Europe/Budapest; IMN IM Europe/Isle_of_Man;
IND IN Asia/Kolkata; IOT IO Indian/Chagos; IRL IE Europe/Dublin; IRN IR Asia/Tehran; IRQ IQ Asia/Baghdad;
ISL IS Atlantic/Reykjavik; ISR IL Asia/Jerusalem; ITA IT Europe/Rome; JAM JM America/Jamaica;
JEY JE Europe/Jersey; JOR JO Asia/Amman; JPN JP Asia/Tokyo; KEN KE Africa/Nairobi; KGZ KG Asia/Bishkek;
KHM KH Asia/Phnom_Penh; KNA KN America/St_Kitts; KOR KR Asia/Seoul; KWT KW Asia/Kuwait; LAO LA Asia/Vientiane;
LBN LB Asia/Beirut; LBR LR Africa/Monrovia; LBY LY Africa/Tripoli; LCA LC America/St_Lucia;
LIE LI Europe/Vaduz; LKA LK Asia/Colombo; LSO LS Africa/Maseru; LTU LT Europe/Vilnius;
LUX LU Europe/Luxembourg; LVA LV Europe/Riga; MAC MO Asia/Macau; MAF MF America/Marigot;
MAR MA Africa/Casablanca; MCO MC Europe/Monaco; MDA MD Europe/Chisinau; MDG MG Indian/Antananarivo;
MDV MV Indian/Maldives; MHL MH Pacific/Majuro; MKD MK Europe/Skopje; MLI ML Africa/Bamako; MLT MT Europe/Malta;
MMR MM Asia/Yangon; MNE ME Europe/Podgorica; MNP MP Pacific/Saipan; MOZ MZ Africa/Maputo;
MRT MR Africa/Nouakchott; MSR MS America/Montserrat; MTQ MQ America/Martinique; MUS MU Indian/Mauritius;
MWI MW Africa/Blantyre; MYS MY Asia/Kuala_Lumpur; MYT YT Indian/Mayotte; NAM NA Africa/Windhoek;
NCL NC Pacific/Noumea; NER NE Africa/Niamey; NFK NF Pacific/Norfolk; NGA NG Africa/Lagos;
NIC NI America/Managua; NIU NU Pacific/Niue; NLD NL Europe/Amsterdam; NOR NO Europe/Oslo;
NPL NP Asia/Kathmandu; NRU NR Pacific/Nauru; OMN OM Asia/Muscat; PAK PK Asia/Karachi; PAN PA America/Panama;
PCN PN Pacific/Pitcairn; PER PE America/Lima; PHL PH Asia/Manila; PLW PW Pacific/Palau; POL PL Europe/Warsaw;
PRI PR America/Puerto_Rico; PRK KP Asia/Pyongyang; PRY PY America/Asuncion; PSE PS Asia/Gaza;
QAT QA Asia/Qatar; REU RE Indian/Reunion; ROU RO Europe/Bucharest; RWA RW Africa/Kigali; SAU SA Asia/Riyadh;
SDN SD Africa/Khartoum; SEN SN Africa/Dakar; SGP SG Asia/Singapore; SGS GS Atlantic/South_Georgia;
SHN SH Atlantic/St_Helena; SJM SJ Arctic/Longyearbyen; SLB SB Pacific/Guadalcanal; SLE SL Africa/Freetown;
SLV SV America/El_Salvador; SMR SM Europe/San_Marino; SOM SO Africa/Mogadishu; SPM PM America/Miquelon;
SRB RS Europe/Belgrade; SSD SS Africa/Juba; STP ST Africa/Sao_Tome; SUR SR America/Paramaribo;
SVK SK Europe/Bratislava; SVN SI Europe/Ljubljana; SWE SE Europe/Stockholm; SWZ SZ Africa/Mbabane;
SXM SX America/Lower_Princes; SYC SC Indian/Mahe; SYR SY Asia/Damascus; TCA TC America/Grand_Turk;
TCD TD Africa/Ndjamena; TGO TG Africa/Lome; THA TH Asia/Bangkok; TJK TJ Asia/Dushanbe; TKL TK Pacific/Fakaofo;
TKM TM Asia/Ashgabat; TLS TL Asia/Dili; TON TO Pacific/Tongatapu; TTO TT America/Port_of_Spain;
TUN TN Africa/Tunis; TUR TR Europe/Istanbul; TUV TV Pacific/Funafuti; TWN TW Asia/Taipei;
TZA TZ Africa/Dar_es_Salaam; UGA UG Africa/Kampala; URY UY America/Montevideo; UZB UZ Asia/Samarkand;
VAT VA Europe/Vatican; VCT VC America/St_Vincent; VEN VE America/Caracas; VGB VG America/Tortola;
VIR VI America/St_Thomas; VNM VN Asia/Ho_Chi_Minh; VUT VU Pacific/Efate; WLF WF Pacific/Wallis;
WSM WS Pacific/Apia; YEM YE Asia/Aden; ZAF ZA Africa/Johannesburg; ZMB ZM Africa/Lusaka; ZWE ZW Africa/Harare;
"""


def _zones() -> dict[str, str]:
    zones: dict[str, str] = {}
    for row in _COUNTRIES.split(";"):
        if row.strip():
            alpha_3, alpha_2, zone = row.split()
            zones[alpha_3] = zones[alpha_2] = zone
    return zones


ZONES = _zones()
