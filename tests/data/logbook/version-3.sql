-- A logbook of schema version 3 as it was left behind by a watch that was cut off. Frozen: never changed.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1212241495;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE acknowledgement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  signal INTEGER NOT NULL REFERENCES signal ON DELETE CASCADE,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  by TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('acknowledged', 'false alarm')),
  note TEXT NOT NULL,
  UNIQUE (signal, by, answer, note)
) STRICT;
INSERT INTO "acknowledgement" VALUES(1,1,7000,8,'desk 2','false alarm','the patrol boat');
CREATE TABLE alert (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  signal INTEGER NOT NULL REFERENCES signal,
  phase TEXT NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  topic TEXT NOT NULL,
  payload TEXT NOT NULL,
  picture BLOB,
  attempts INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER,
  delivered_offset INTEGER,
  expired INTEGER
, picture_digest BLOB) STRICT;
INSERT INTO "alert" VALUES(1,'a',1,1,'opened',2000,8,'havenwacht/s/alert/quay-east/night-passage','{"severity":"alert"}',NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "alert" VALUES(2,'b',1,2,'opened',2500,8,'havenwacht/s/alert/quay-east/night-passage','not an object',X'FFD8FFD9',0,NULL,NULL,NULL,X'32461D5BD1773012ACEF0BA15636752949BD7C2CE50F9172159D9F56CF0DD9AF');
INSERT INTO "alert" VALUES(3,'f',2,4,'opened',54500,8,'havenwacht/s/alert/quay-east/ferry','{"severity":"notice"}',NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE blind_spell (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  cause TEXT NOT NULL
    CHECK (cause IN ('away', 'frozen', 'black', 'washed out', 'fog', 'out of focus', 'moved', 'slow')),
  began INTEGER NOT NULL,
  began_offset INTEGER NOT NULL,
  measured REAL,
  threshold REAL,
  unit TEXT NOT NULL,
  text TEXT NOT NULL,
  ended INTEGER,
  ended_offset INTEGER,
  ended_by TEXT CHECK (ended_by IN ('seen', 'another cause', 'restart', 'stop')),
  end_seq INTEGER UNIQUE,
  CHECK ((ended IS NULL) = (ended_by IS NULL)),
  CHECK ((ended IS NULL) = (end_seq IS NULL))
) STRICT;
INSERT INTO "blind_spell" VALUES(2,'00000000-0000-0000-0000-000000000002',2,1,'frozen',22000,8,15.0,15.0,'s','cause: frozen',22500,8,'another cause',2);
INSERT INTO "blind_spell" VALUES(3,'00000000-0000-0000-0000-000000000003',2,1,'black',23000,8,15.0,15.0,'s','cause: black',23500,8,'restart',3);
INSERT INTO "blind_spell" VALUES(4,'00000000-0000-0000-0000-000000000004',2,1,'washed out',24000,8,15.0,15.0,'s','cause: washed out',24500,8,'stop',4);
INSERT INTO "blind_spell" VALUES(5,'00000000-0000-0000-0000-000000000005',2,1,'fog',25000,8,15.0,15.0,'s','cause: fog',25500,8,'seen',5);
INSERT INTO "blind_spell" VALUES(6,'00000000-0000-0000-0000-000000000006',2,1,'out of focus',26000,8,15.0,15.0,'s','cause: out of focus',26500,8,'seen',6);
INSERT INTO "blind_spell" VALUES(7,'00000000-0000-0000-0000-000000000007',2,1,'moved',27000,8,15.0,15.0,'s','cause: moved',27500,8,'seen',7);
INSERT INTO "blind_spell" VALUES(8,'00000000-0000-0000-0000-000000000008',2,1,'slow',28000,8,15.0,15.0,'s','cause: slow',NULL,NULL,NULL,NULL);
CREATE TABLE camera (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "camera" VALUES(1,'quay-east');
CREATE TABLE camera_state (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  retries INTEGER NOT NULL
) STRICT;
INSERT INTO "camera_state" VALUES(1,1,1,1000,8,'streaming','',0);
CREATE TABLE clock_reading (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  boot TEXT NOT NULL,
  boot_ms INTEGER NOT NULL,
  synchronised INTEGER CHECK (synchronised IN (0, 1)),
  stepped_ms INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('start', 'stepped', 'synchronised', 'synchronisation lost'))
) STRICT;
INSERT INTO "clock_reading" VALUES(1,2,20000,8,'b1',5000,1,0,'start');
CREATE TABLE detection (
  id INTEGER PRIMARY KEY,
  vessel INTEGER,
  class INTEGER NOT NULL,
  confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 1000),
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  look INTEGER GENERATED ALWAYS AS (id >> 8) VIRTUAL
) STRICT;
INSERT INTO "detection" VALUES(256,7,0,813,1,2,3,4);
INSERT INTO "detection" VALUES(768,9,0,800,12,20,300,40);
INSERT INTO "detection" VALUES(1024,9,0,800,14,20,300,40);
CREATE TABLE link (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject INTEGER NOT NULL,
  digest BLOB NOT NULL,
  hash BLOB NOT NULL,
  signature BLOB,
  UNIQUE (kind, subject)
) STRICT;
INSERT INTO "link" VALUES(1,'start',1,X'3C4C5D7193BEB8991D86B12B5D76E4E272AC56808F20A10E24EA9E5C3F0879C8',X'4F4B45F64C5ED86693578FF3A9B204A29ABDE0C1EF0B45CCA12F3094CF29A85C',NULL);
INSERT INTO "link" VALUES(2,'signal_step',1,X'6242A50E1D4F2ACEC2B4FD22EA3FB82BFCB20B3CB8F0704A0E2D545C0AB1AF8B',X'E7FF53C694DEA90CF2F889209350472DF66E95F6DDEF83CCB5F58A82B136FC8B',NULL);
INSERT INTO "link" VALUES(3,'signal_step',2,X'3DD3C066B51EFE1A7D9172E4E1224B6181612C49E5D9081E22792312A03790CD',X'158119F3A8A5CDA64C85A1EAF5579ADCD08384C8D70921F82144D8297C4C9224',NULL);
INSERT INTO "link" VALUES(4,'signal_step',4,X'EDB271D885635CCD22709BA6451BC57F17FA9B6BB619CA7BB2EBE1443510B947',X'18C512D04FB88157A0ABE3C6780CB637E508F4FF592A88D07AB396915F6FD06E',NULL);
INSERT INTO "link" VALUES(5,'signal_step',5,X'65048CB02F3E1B86DA76CB9D7F1444D2E06A44B0E70ACCEDC8A14DE69C798213',X'96CD8D291B057EFBDFFAFC17E1535DE7A3781B5857C274A3B8E4FDA88B25C5B8',NULL);
INSERT INTO "link" VALUES(6,'signal_step',6,X'6D33192B171F59C5CFCF1A2CAF018FE4D58A403AFFCD92373CDA71B47BDAE650',X'289D66F7CEFFA72BDD5EE035BD6A83C229EB9E0B58121360269441CF3C64AD4C',NULL);
INSERT INTO "link" VALUES(7,'signal_step',7,X'211731E432D186319A87DAA81E24FD10750A3851A41033A44D37CE4B05A200E0',X'77F9B47DF708AD4FB4D909015B2B3F552EA20E0F3EED61291757187EB5F085BD',NULL);
INSERT INTO "link" VALUES(8,'alert',1,X'8532949374F5B99B90CD18FA76A9B720263C0BB378B2676CFDC5DC44AAADCD5B',X'52DA29DCDDE43E3EAACAD0E4B0E7E3FF082794CFA0187AF4E905F32D13416804',NULL);
INSERT INTO "link" VALUES(9,'alert',2,X'F524E2E295ACD8A8F084A3C29F3C90963F45DD720CE15A88D964E6CA7B7BF80C',X'7EE061A6C2201D968838A88A02B1CBF2B2CCD77C759235F07DCC2D8EF6A01F13',NULL);
INSERT INTO "link" VALUES(10,'acknowledgement',1,X'B1DC7B2C5AFF945654C0CEFABCD25D9FD0B7F65EF31D700CF89F722DF0EB0CC0',X'B3A6CE729499DC41B6A4D05DF172876C98685D0D3318F4365E8F63546A9344C3',NULL);
INSERT INTO "link" VALUES(11,'visit_step',1,X'81FDB2C283CD7D9E0E54AA9A2FD5A3FEC42F12BD649EF8F0A869647879F60574',X'C8C9F616D531ED8C0A773D7D927803DDF44891654BE5CEA81512934704CE61B8',NULL);
INSERT INTO "link" VALUES(12,'visit_step',2,X'C4755F6CD92100E57733120A1467F25E6BDC1FF7D7379FA255C15E7D50E9A638',X'82056098ED22CC9449AF586E4D90172A27BEF5440E60E12CBFAADA89B001AC16',NULL);
INSERT INTO "link" VALUES(13,'visit_step',3,X'3C965B506DB97F16B80581447FFDDDCE2E36EA1813D6DDDC615577468E4682E7',X'6450902F01D42E111FC9A55D7530B5F321E3F404CC0A513263D89415FE1F2E69',NULL);
INSERT INTO "link" VALUES(14,'signal_step',8,X'DA296B8D1F1A0ED52606521B7B35E4A7626D613D546E44D85EC1303751A8A28E',X'FDDCE741C226CFBEF1D8964345D49A96E0534B00B62D24B7ECF4C4896433869A',NULL);
INSERT INTO "link" VALUES(15,'start',2,X'3DAE18D39F7F51D7FFF4D041F15944E1D514B68A599648D63F2A98C46C754D16',X'BDE54F9550569BCD8A2C6404E555906F4BE55D7A7321ED7F2378CD5B2FFDAFCB',NULL);
INSERT INTO "link" VALUES(16,'seal',1,X'41448E908A918CC50523B03B0B96E7293C123A6D516A27F567721259649D21E8',X'617338A0B9D430252E49F44F63C43D0661B3E3FDDF7ECB33E9843FE698F97833',NULL);
INSERT INTO "link" VALUES(17,'clock_reading',1,X'DBE57C4F38C3FB7DC3B6023F782D7638776F03576DABD588A16E13932F294ED9',X'3191EDA0CC422271CE1CE829E74705BFB368BEC7FC9A32850D0433E6CB3A2018',NULL);
INSERT INTO "link" VALUES(18,'blind_spell',1,X'10335540C0BC0C3CF542789C22430F4908C443ECE5F257D097FB8BAE27927975',X'5B9FC840970E92A573502A1DFB858D31B2CB0922B4401DD0A65B04D1F7D7B69F',NULL);
INSERT INTO "link" VALUES(19,'blind_spell_end',1,X'799A62EFF085B1116A1924ABA50ABD4719C147055C3FFD5F70B231DEF85D026F',X'135ED9BD8E9C5CEBC16B84E014AB262A4AD5699D4D4DCD83C3FF0EA200E63073',NULL);
INSERT INTO "link" VALUES(20,'blind_spell',2,X'E813A9FB3EAFD706466C527AD83B1EFDFD9A8321CC7A6FD309ADD1259D409CB3',X'DB4E0A1717289A560C9D0CEE1E3D3FE25B386E14EFDB8E19852538D9A280A8B0',NULL);
INSERT INTO "link" VALUES(21,'blind_spell_end',2,X'7260216275CFF79F459D440FB545C76A6A2ECFE5B2EBE52D22F6D8A16FD72982',X'C4D4C6C3807326D26AA7AADB7592DD955CDFC6057FCC6A6A2A123F5B99E1F3D4',NULL);
INSERT INTO "link" VALUES(22,'blind_spell',3,X'039E71320013BEA7A9A2B20CC02D019DCE573CE183430C5FBC337DA5E93389C4',X'F11FB90354B9E52C95BD1DD575BA840B97A89B11C6AB131AC09EE60CE5A10692',NULL);
INSERT INTO "link" VALUES(23,'blind_spell_end',3,X'8C8F3264A4CF841544A68543C915FB785C0521EE2B42BAA5206BB5ED6791E682',X'35B5F5904A91396E63A5C5445C6FDEA2733C8D95649160E86EB14260B1549376',NULL);
INSERT INTO "link" VALUES(24,'blind_spell',4,X'BA8334332BE63B41B00B9B8328B01A0290995F70F7827791FBA26B3BB310442E',X'88C45FEEA9940A145A1C7203A8AE04E4BED9DF4648B52F8E02310831EB3780D2',NULL);
INSERT INTO "link" VALUES(25,'blind_spell_end',4,X'2D0C0D67C8D6001A1CA35A4EB30EBD9D17D69A0AAE1B52D31B4A4CD8DE2375CD',X'BA6266C24DA7F6E45259B0161F317DBC7A5ADE35B794B1085B914B489B913CD8',NULL);
INSERT INTO "link" VALUES(26,'blind_spell',5,X'7D94B722D76575F540029E66FBD0C9761704A2BD257BA7CCDB4FCB17754994A0',X'7179EEFF1B348EE3F961E7F4FAD1738FB6F2532C53FC2AC0EDC4B4C64E83B1B9',NULL);
INSERT INTO "link" VALUES(27,'blind_spell_end',5,X'8F4462CBF29C06D91F090A82412E2385270C795D405D519EE69E0DD8E4E0E688',X'25A7014DC46D41E2887576BD89FA6357BCB9E89E29D604BFA599D32882831C29',NULL);
INSERT INTO "link" VALUES(28,'blind_spell',6,X'CB24E3DAACF5D49748F0B62E3896093BDD1D8F43DEB8E1891E1C004B2A55B4AB',X'A022F08A04604109166C0C8B9D9323A04F000A9AC43D82AA09B340AD20CE8760',NULL);
INSERT INTO "link" VALUES(29,'blind_spell_end',6,X'8681CCF48FAED06CD0ED24177DC71F36408F186455AAF1E514B694BC6460192B',X'3F629EB3B55DA941A0E67F4A5FE485DC28FDA43304A018435A97EEF1C08ED6E5',NULL);
INSERT INTO "link" VALUES(30,'blind_spell',7,X'A7E7A33BAB069C951F8D5FF5419AD7BC9DED596240A75704C1E0D8DB32C091A7',X'D96E9E19268058ACDA8D7E7C698F0C15FAEA83E3AAD748612BB9AE30017BA5EB',NULL);
INSERT INTO "link" VALUES(31,'blind_spell_end',7,X'B1794B3F55BF37ADB597CAC7039C16690AD95F818979488D8857133DD972A55D',X'5B31050A9F49121029FCAF064A75A1CBC9C88D240E284DFFB979DE774F02B729',NULL);
INSERT INTO "link" VALUES(32,'blind_spell',8,X'71036AF36B3DB1211E51399B896F01C9D989F6857CAEF0F4CCDEBCD306A417E9',X'5F33B6706167EBD170517C632A82E71B8205785C30D8AF0CF56D6E2D9AC01B66',NULL);
INSERT INTO "link" VALUES(33,'seal',2,X'E6D22449E8B9BBD52C5552D54AF8AF632C18B13ADACF8C28E826EC030730CA02',X'C71B31C1785E637B3F26F34D1886E6125AC62BEA8E4955B5AA03E3D62C1BAACC',NULL);
INSERT INTO "link" VALUES(34,'seal',3,X'3DDA047AEE72A7034BCE42EF81E2C59022DC4910D8D5C56D946A25BF4DD00E6F',X'1951587E3EF2F62628D09ECE580A0E8C877E5D722CE52DFC8B87ED65F6CA1CEF',NULL);
INSERT INTO "link" VALUES(35,'receipt',1,X'545FBA2823ACFABB72038D79535AA6BE000D0AFB3E90B9E11F4EA0D9572FF73D',X'B0ACA3979BCC036BFE11ADEF8B13CA684F0BCDC02D47A32A29C4BBAD7663742D',NULL);
INSERT INTO "link" VALUES(36,'receipt',2,X'61DDF010B3A6C8230ACC56572AD94CFC9EA645D348A08B15A9C29031EC0D3E50',X'881448FCA73DE249152D7A922881493C8D3AF48426CA69EC7D39AB3BAB0D3375',NULL);
INSERT INTO "link" VALUES(37,'signal_step',9,X'9A2FD915B7F1C816C96BC3A7BDA88973DB2A7BD60264C42904424AB29789A282',X'CF5F38EB95DFA81547B2381548C5D9293CB9E3FD6AE7DDF262D0ACCB665C7245',NULL);
INSERT INTO "link" VALUES(38,'alert',3,X'BD63AA302C2728B53E379CF65FA77B22F56329F7E589B647426E35FABBC87CA2',X'11690090612BE7396A3279910CBF1B0497BCFD8B2F7BF58F6396FF230C2AF928',NULL);
CREATE TABLE look (
  id INTEGER PRIMARY KEY,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  frame_width INTEGER NOT NULL,
  frame_height INTEGER NOT NULL
) STRICT;
INSERT INTO "look" VALUES(1,1,1,1500,8,3,1920,1080);
INSERT INTO "look" VALUES(3,2,1,51000,8,2,1920,1080);
INSERT INTO "look" VALUES(4,2,1,53000,8,3,1920,1080);
CREATE TABLE receipt (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  act TEXT NOT NULL CHECK (act IN ('age', 'size', 'disk full', 'erased', 'damaged')),
  kind TEXT NOT NULL,
  ids TEXT NOT NULL,
  rows INTEGER NOT NULL,
  why TEXT NOT NULL,
  done INTEGER
) STRICT;
INSERT INTO "receipt" VALUES(1,2,52000,8,'age','look','2',1,'older than 90 days; 1 detections with them',52100);
INSERT INTO "receipt" VALUES(2,2,52200,8,'age','blind_spell','1',1,'older than 2 years',52300);
CREATE TABLE seal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  first_look INTEGER NOT NULL,
  last_look INTEGER NOT NULL,
  looks INTEGER NOT NULL,
  detections INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;
INSERT INTO "seal" VALUES(1,2,20000,8,1,1,1,1,X'0AAC2776DEAC7433AE7BA4D6F204B240A6745296629B46B7EC22BB086E20FEE0');
INSERT INTO "seal" VALUES(2,2,50500,8,2,2,1,1,X'D5FACA85371BA58DB55C595EAFCFCDAFF7A108A1AA0F6E8843F780C12F8E6A81');
INSERT INTO "seal" VALUES(3,2,51500,8,3,3,1,1,X'0EE5F721AC989BB7DE2B74423126916F2EC2DAAE7526F83A9496854932871669');
CREATE TABLE signal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  rule TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  place TEXT NOT NULL,
  place_name TEXT NOT NULL,
  severity TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  told INTEGER NOT NULL CHECK (told IN (0, 1)),
  since INTEGER NOT NULL,
  since_offset INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  opened_offset INTEGER NOT NULL,
  closed INTEGER,
  closed_offset INTEGER,
  closed_by TEXT CHECK (closed_by IN ('rule', 'restart')),
  measured REAL NOT NULL,
  threshold REAL NOT NULL,
  unit TEXT NOT NULL,
  text TEXT NOT NULL
, condition TEXT NOT NULL DEFAULT '', margin REAL NOT NULL DEFAULT 0, schedule TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "signal" VALUES(1,'00000000-0000-0000-0000-000000000001',1,1,'night-passage','Night passage','presence','basin','Basin','alert',7,1,1000,8,2000,8,9000,8,'rule',1.5,1.0,'s','vessel 7 entered','',0.0,'');
INSERT INTO "signal" VALUES(2,'00000000-0000-0000-0000-000000000002',1,1,'night-passage','Night passage','presence','basin','Basin','warning',8,1,1000,8,2500,8,20000,8,'restart',1.5,1.0,'s','vessel 8 entered','',0.0,'');
INSERT INTO "signal" VALUES(3,'00000000-0000-0000-0000-000000000003',1,1,'night-passage','Night passage','presence','basin','Basin','info',7,0,9500,8,9900,8,9950,8,'rule',1.5,1.0,'s','vessel 7 entered','a vessel is in Basin for 1s',0.5,'every day');
INSERT INTO "signal" VALUES(4,'e',2,1,'ferry','Ferry','silence','berth-3','Berth 3','notice',0,1,54000,8,54500,8,NULL,NULL,NULL,600.0,600.0,'s','nobody came to Berth 3','no vessel comes to Berth 3 for 10m',0.0,'every day');
CREATE TABLE "signal_step" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  signal INTEGER NOT NULL REFERENCES signal ON DELETE CASCADE,
  phase TEXT NOT NULL CHECK (phase IN ('opened', 'updated', 'escalated', 'closed')),
  severity TEXT NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  measured REAL NOT NULL,
  text TEXT NOT NULL,
  x0 REAL NOT NULL,
  y0 REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL
) STRICT;
INSERT INTO "signal_step" VALUES(1,1,'opened','alert',2000,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(2,2,'opened','warning',2500,8,1.5,'vessel 8 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(4,2,'updated','warning',3000,8,2.5,'vessel 8 entered',0.1,0.2,0.3,0.5);
INSERT INTO "signal_step" VALUES(5,1,'closed','alert',9000,8,2.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(6,3,'opened','info',9900,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(7,3,'closed','info',9950,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(8,2,'closed','warning',20000,8,1.5,'closed: the watch was restarted',0.1,0.2,0.3,0.5);
INSERT INTO "signal_step" VALUES(9,4,'opened','notice',54500,8,600.0,'nobody came to Berth 3',0.1,0.2,0.3,0.4);
CREATE TABLE start (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  mode TEXT NOT NULL,
  version TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  model_hash TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  first_vessel INTEGER NOT NULL,
  ended INTEGER
) STRICT;
INSERT INTO "start" VALUES(1,1000,8,'run','0.1.0','c0','f0','Europe/Amsterdam',1,NULL);
INSERT INTO "start" VALUES(2,20000,8,'run','0.3.0','c1','f1','Europe/Amsterdam',9,NULL);
CREATE TABLE suppressed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  rule TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  reason TEXT NOT NULL,
  first INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  times INTEGER NOT NULL,
  condition TEXT NOT NULL,
  measured REAL NOT NULL,
  threshold REAL NOT NULL,
  margin REAL NOT NULL,
  unit TEXT NOT NULL,
  schedule TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (start, camera, rule, vessel, reason)
) STRICT;
INSERT INTO "suppressed" VALUES(1,1,1,'night-passage',9,'outside schedule',4000,8,5000,8,4,'a vessel is in Basin for 1s',1.5,1.0,0.0,'s','every day 21:30 to 05:30 the next day','vessel 9 is in Basin; live again at 21:30');
INSERT INTO "suppressed" VALUES(2,2,1,'night-passage',9,'outside schedule',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: outside schedule');
INSERT INTO "suppressed" VALUES(3,2,1,'night-passage',9,'cooldown',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: cooldown');
INSERT INTO "suppressed" VALUES(4,2,1,'night-passage',9,'size',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: size');
INSERT INTO "suppressed" VALUES(5,2,1,'night-passage',9,'not confirmed',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: not confirmed');
INSERT INTO "suppressed" VALUES(6,2,1,'night-passage',9,'not sure',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: not sure');
INSERT INTO "suppressed" VALUES(7,2,1,'night-passage',9,'camera blind',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: camera blind');
INSERT INTO "suppressed" VALUES(8,2,1,'night-passage',9,'at berth',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: at berth');
INSERT INTO "suppressed" VALUES(9,2,1,'night-passage',9,'excepted',55000,8,55500,8,2,'a vessel is in Inner basin for 1s',1.5,1.0,0.0,'s','every day','because: excepted');
CREATE TABLE track (
  vessel INTEGER PRIMARY KEY,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'cut')),
  first_seen INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  first_look INTEGER NOT NULL,
  last_look INTEGER NOT NULL,
  detections INTEGER NOT NULL,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL
) STRICT;
INSERT INTO "track" VALUES(9,2,1,'open',50000,8,52000,8,2,3,3,12,20,300,40);
CREATE TABLE visit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  berth TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  began INTEGER NOT NULL,
  began_offset INTEGER NOT NULL,
  arrived INTEGER NOT NULL CHECK (arrived IN (0, 1)),
  last_seen INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  x0 REAL NOT NULL,
  y0 REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  length_m REAL,
  ended INTEGER,
  ended_offset INTEGER,
  how TEXT CHECK (how IN ('departed', 'replaced', 'vanished')),
  CHECK ((ended IS NULL) = (how IS NULL))
) STRICT;
INSERT INTO "visit" VALUES(1,'00000000-0000-0000-0000-0000000000a1',1,1,'berth-3',11,1500,8,1,6000,8,0.1,0.2,0.3,0.4,12.5,6000,8,'departed');
INSERT INTO "visit" VALUES(2,'00000000-0000-0000-0000-0000000000a2',1,1,'berth-4',12,1600,8,0,6100,8,0.5,0.2,0.7,0.4,NULL,NULL,NULL,NULL);
CREATE TABLE visit_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  visit INTEGER NOT NULL REFERENCES visit ON DELETE CASCADE,
  step TEXT NOT NULL CHECK (step IN ('began', 'ended')),
  vessel INTEGER NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL
) STRICT;
INSERT INTO "visit_step" VALUES(1,1,'began',11,1500,8);
INSERT INTO "visit_step" VALUES(2,2,'began',12,1600,8);
INSERT INTO "visit_step" VALUES(3,1,'ended',11,6000,8);
CREATE INDEX track_open ON track (vessel) WHERE state = 'open';
CREATE INDEX signal_open ON signal (seq) WHERE closed IS NULL;
CREATE INDEX signal_vessel ON signal (vessel);
CREATE INDEX alert_undelivered ON alert (seq) WHERE delivered IS NULL AND expired IS NULL;
CREATE INDEX alert_signal ON alert (signal);
CREATE VIEW v_detections AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', (look.at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, vessel,
  CASE class WHEN 0 THEN 'vessel' WHEN 1 THEN 'person' ELSE 'class ' || class END AS class,
  confidence / 1000.0 AS confidence, x, y, width, height, frame, frame_width, frame_height,
  strftime('%Y-%m-%dT%H:%M:%fZ', look.at / 1000.0, 'unixepoch') AS utc,
  look.start AS start, look.id AS look, detection.id AS detection
FROM detection JOIN look ON look.id = detection.id >> 8 JOIN camera ON camera.id = look.camera;
CREATE VIEW v_tracks AS
SELECT vessel, camera.name AS camera,
  strftime('%Y-%m-%d %H:%M:%S', (first_seen + first_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN first_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(first_offset) / 4, abs(first_offset) % 4 * 15) AS first_seen,
  strftime('%Y-%m-%d %H:%M:%S', (last_seen + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last_seen,
  (last_seen - first_seen) / 1000.0 AS seconds, detections, state, x, y, width, height,
  strftime('%Y-%m-%dT%H:%M:%fZ', first_seen / 1000.0, 'unixepoch') AS first_seen_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen_utc, start
FROM track JOIN camera ON camera.id = track.camera;
CREATE VIEW v_camera_state AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, state, reason, retries,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, camera_state.id AS id, start
FROM camera_state JOIN camera ON camera.id = camera_state.camera;
CREATE INDEX signal_step_signal ON signal_step (signal);
CREATE INDEX suppressed_vessel ON suppressed (vessel);
CREATE INDEX visit_open ON visit (seq) WHERE ended IS NULL;
CREATE INDEX visit_ended ON visit (ended);
CREATE INDEX visit_vessel ON visit (vessel);
CREATE INDEX visit_step_visit ON visit_step (visit);
CREATE INDEX visit_step_vessel ON visit_step (vessel);
CREATE VIEW v_starts AS
SELECT start.id AS start,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  mode, version, time_zone, config_hash, model_hash,
  CASE WHEN ended IS NOT NULL THEN 'stopped'
       WHEN start.id = (SELECT max(id) FROM start) THEN 'running or cut off' ELSE 'cut off' END AS ending,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc
FROM start;
CREATE VIEW v_signals AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (opened + opened_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN opened_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(opened_offset) / 4, abs(opened_offset) % 4 * 15) AS opened,
  strftime('%Y-%m-%d %H:%M:%S', (closed + closed_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN closed_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(closed_offset) / 4, abs(closed_offset) % 4 * 15) AS closed,
  closed_by, severity, rule_name AS rule, camera.name AS camera, place_name AS place, nullif(vessel, 0) AS vessel, text,
  CASE told WHEN 1 THEN 'yes' ELSE 'no, within the cooldown' END AS told,
  (SELECT answer || ' by ' || by FROM acknowledgement WHERE signal = seq ORDER BY id DESC LIMIT 1) AS answer,
  condition, measured, threshold, margin, unit, schedule, kind, rule AS rule_id, place AS place_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', since / 1000.0, 'unixepoch') AS since_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', opened / 1000.0, 'unixepoch') AS opened_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', closed / 1000.0, 'unixepoch') AS closed_utc, signal.id AS id, start, config_hash
FROM signal JOIN camera ON camera.id = signal.camera JOIN start ON start.id = signal.start;
CREATE VIEW v_signal_steps AS
SELECT signal_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, signal_step.severity AS severity, rule_name AS rule, rule AS rule_id, camera.name AS camera,
  nullif(vessel, 0) AS vessel, signal_step.text AS text, told, signal_step.measured AS measured, unit, x0, y0, x1, y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, start
FROM signal_step JOIN signal ON signal.seq = signal_step.signal JOIN camera ON camera.id = signal.camera;
CREATE VIEW v_alerts AS
SELECT alert.seq AS seq,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, coalesce(payload ->> 'severity', severity) AS severity, rule_name AS rule, rule AS rule_id,
  camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  CASE WHEN delivered IS NOT NULL THEN 'delivered' WHEN expired IS NOT NULL THEN 'expired'
    ELSE 'waiting' END AS delivery,
  strftime('%Y-%m-%d %H:%M:%S', (delivered + delivered_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN delivered_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(delivered_offset) / 4, abs(delivered_offset) % 4 * 15) AS delivered,
  attempts, length(picture) AS picture_bytes, topic,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, alert.id AS id, alert.signal AS signal,
  alert.start AS start
FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera;
CREATE VIEW v_suppressed AS
SELECT suppressed.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (first + first_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN first_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(first_offset) / 4, abs(first_offset) % 4 * 15) AS first,
  strftime('%Y-%m-%d %H:%M:%S', (last + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last,
  times, rule, camera.name AS camera, nullif(vessel, 0) AS vessel, reason, text,
  condition, measured, threshold, margin, unit, schedule,
  strftime('%Y-%m-%dT%H:%M:%fZ', first / 1000.0, 'unixepoch') AS first_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last / 1000.0, 'unixepoch') AS last_utc, start, config_hash
FROM suppressed JOIN camera ON camera.id = suppressed.camera JOIN start ON start.id = suppressed.start;
CREATE VIEW v_visits AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (began + began_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN began_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(began_offset) / 4, abs(began_offset) % 4 * 15) AS began,
  strftime('%Y-%m-%d %H:%M:%S', (last_seen + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last_seen,
  strftime('%Y-%m-%d %H:%M:%S', (ended + ended_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN ended_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(ended_offset) / 4, abs(ended_offset) % 4 * 15) AS ended,
  how, camera.name AS camera, berth, vessel,
  CASE arrived WHEN 1 THEN 'seen to arrive' ELSE 'lay there already' END AS arrival,
  round((ifnull(ended, last_seen) - began) / 3600000.0, 2) AS hours, round(length_m, 1) AS length_m,
  round(x0, 4) AS x0, round(y0, 4) AS y0, round(x1, 4) AS x1, round(y1, 4) AS y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', began / 1000.0, 'unixepoch') AS began_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc, visit.id AS id, start
FROM visit JOIN camera ON camera.id = visit.camera;
CREATE VIEW v_visit_steps AS
SELECT visit_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  CASE WHEN step = 'ended' THEN how WHEN arrived THEN 'arrived' ELSE 'found' END AS event,
  camera.name AS camera, berth, visit_step.vessel AS vessel,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, visit_step.visit AS visit
FROM visit_step JOIN visit ON visit.seq = visit_step.visit JOIN camera ON camera.id = visit.camera;
CREATE VIEW v_acknowledgements AS
SELECT acknowledgement.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  by, answer, note, rule_name AS rule, rule AS rule_id, camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  round((at - opened) / 1000.0, 1) AS seconds_after_opening,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, signal.id AS signal_id, start
FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal JOIN camera ON camera.id = signal.camera;
CREATE INDEX blind_spell_open ON blind_spell (seq) WHERE ended IS NULL;
CREATE INDEX alert_picture ON alert (seq) WHERE picture IS NOT NULL;
CREATE INDEX receipt_open ON receipt (id) WHERE done IS NULL;
CREATE VIEW v_blind_spells AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (began + began_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN began_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(began_offset) / 4, abs(began_offset) % 4 * 15) AS began,
  strftime('%Y-%m-%d %H:%M:%S', (ended + ended_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN ended_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(ended_offset) / 4, abs(ended_offset) % 4 * 15) AS ended,
  camera.name AS camera, cause, ended_by, text, round((ended - began) / 1000.0, 1) AS seconds, measured, threshold, unit,
  strftime('%Y-%m-%dT%H:%M:%fZ', began / 1000.0, 'unixepoch') AS began_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc, blind_spell.id AS id, start, end_seq
FROM blind_spell JOIN camera ON camera.id = blind_spell.camera;
CREATE VIEW v_clock AS
SELECT id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  reason, iif(at < 1735689600000, 'no', 'yes') AS clock_set,
  CASE synchronised WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END AS synchronised,
  stepped_ms / 1000.0 AS stepped_s, later_ms / 1000.0 AS later_steps_s, round(boot_ms / 1000.0, 3) AS seconds_since_boot,
  boot, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', (at + later_ms) / 1000.0, 'unixepoch') AS true_utc, start
FROM (
  SELECT *, ifnull(sum(stepped_ms) OVER (PARTITION BY iif(boot = '', start, boot) ORDER BY id
    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS later_ms
  FROM clock_reading
);
CREATE VIEW v_receipts AS
SELECT id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  act, kind, rows, why, CASE WHEN done IS NULL THEN 'going' ELSE 'gone' END AS state, ids,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, start
FROM receipt;
CREATE VIEW v_chain AS
SELECT seq, kind, subject, lower(hex(digest)) AS digest, lower(hex(hash)) AS hash, lower(hex(signature)) AS signature
FROM link;
CREATE VIEW v_paths AS
SELECT track.vessel AS vessel,
  strftime('%Y-%m-%d %H:%M:%S', (look.at + look.utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN look.utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(look.utc_offset) / 4, abs(look.utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, confidence / 1000.0 AS confidence,
  detection.x AS x, detection.y AS y, detection.width AS width, detection.height AS height,
  frame, frame_width, frame_height,
  strftime('%Y-%m-%dT%H:%M:%fZ', look.at / 1000.0, 'unixepoch') AS utc, detection.id AS detection
FROM track
  CROSS JOIN detection ON detection.id BETWEEN track.first_look << 8
    AND iif(track.state = 'open', 9223372036854775807, (track.last_look << 8) + 255)
    AND detection.vessel = track.vessel
  CROSS JOIN look ON look.id = detection.id >> 8
  JOIN camera ON camera.id = look.camera;
CREATE INDEX signal_opened_utc ON signal (strftime('%Y-%m-%dT%H:%M:%fZ', opened / 1000.0, 'unixepoch'));
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('signal',4);
INSERT INTO "sqlite_sequence" VALUES('alert',3);
INSERT INTO "sqlite_sequence" VALUES('camera_state',1);
INSERT INTO "sqlite_sequence" VALUES('signal_step',9);
INSERT INTO "sqlite_sequence" VALUES('suppressed',9);
INSERT INTO "sqlite_sequence" VALUES('visit',2);
INSERT INTO "sqlite_sequence" VALUES('visit_step',3);
INSERT INTO "sqlite_sequence" VALUES('acknowledgement',1);
INSERT INTO "sqlite_sequence" VALUES('link',38);
INSERT INTO "sqlite_sequence" VALUES('seal',3);
INSERT INTO "sqlite_sequence" VALUES('clock_reading',1);
INSERT INTO "sqlite_sequence" VALUES('blind_spell',8);
INSERT INTO "sqlite_sequence" VALUES('receipt',2);
COMMIT;
