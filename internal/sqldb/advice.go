package sqldb

import "github.com/datong-dx/datong/connectors"

// trouble is what an error is about.
type trouble uint8

const (
	unknown trouble = iota
	nobody
	noHost
	silent
	cutOff
	otherServer
	noTLS
	untrusted
	refusedLogin
	notLetIn
	noDatabase
	noSchema
	noTable
	noColumn
	badQuery
	noRight
	readOnly
	tooSlow
	full
	starting
	locked
	diskFull
	noFile
	noFileRight
	notDatabase
	readOnlyFile
	corrupt
)

type advice struct{ what, try connectors.Text }

func advise(zh, en, tryZh, tryEn string) advice {
	return advice{connectors.Text{Zh: zh, En: en}, connectors.Text{Zh: tryZh, En: tryEn}}
}

var advices = map[trouble]advice{
	nobody: advise("无法连接数据库：这个地址上没有程序在监听", "the database cannot be reached: nothing listens at this address",
		"检查 url 的主机和端口、数据库是否在运行，以及防火墙", "check host and port of url, that the database runs, and the firewall"),
	noHost: advise("无法连接数据库：查不到主机名", "the database cannot be reached: its host name cannot be found",
		"检查 url 的主机名和本机的 DNS", "check the host name of url, and this machine's DNS"),
	silent: advise("无法连接数据库：没有及时应答", "the database cannot be reached: no answer in time",
		"检查 url 的主机和端口、网络和防火墙", "check host and port of url, the network and the firewall"),
	cutOff: advise("数据库连接中断", "the database ended the connection",
		"检查 url 的端口上是否为该数据库，它是否在重启；稍后再试", "check that the port of url is this database's, and whether it restarts; try again later"),
	otherServer: advise("这个地址上不是 url 所写的数据库", "what answers at this address is not the database that url names",
		"检查 url 的类型（postgres、mysql）和端口", "check the scheme of url (postgres, mysql) and its port"),
	noTLS: advise("数据库未启用加密连接", "the database does not offer encryption",
		"请数据库管理员启用 TLS；内网中可在 url 后加 ?sslmode=disable（PostgreSQL）或去掉 tls=（MySQL）",
		"have TLS enabled; inside a trusted network add ?sslmode=disable to url (PostgreSQL) or leave out tls= (MySQL)"),
	untrusted: advise("数据库的证书不受信任", "the database's certificate is not trusted here",
		"用 url 的 sslrootcert 指明签发机构的证书（PostgreSQL），并使用证书上的主机名",
		"name the authority's certificate with sslrootcert in url (PostgreSQL), and use the host name in the certificate"),
	refusedLogin: advise("数据库不接受该账号或口令", "the database refuses the account or its password",
		"检查 url 的账号和口令，以及数据库是否允许该账号从本机登录", "check account and password of url, and that the database lets the account in from this machine"),
	notLetIn: advise("数据库不允许从本机连接", "the database does not let this machine in",
		"请数据库管理员允许该账号从本机登录", "have the account let in from this machine"),
	noDatabase: advise("没有这个数据库", "there is no such database",
		"检查 url 末尾的库名", "check the database name at the end of url"),
	noSchema: advise("没有这个模式（schema）", "there is no such schema",
		"检查表名中的模式", "check the schema in the table's name"),
	noTable: advise("没有这个表或视图", "there is no such table or view",
		"检查 tables 或 query 中的名称（模式.表，区分大小写）", "check the name under tables or in query (schema.table, in the right case)"),
	noColumn: advise("没有这一列", "there is no such column",
		"检查 query、columns、key 和 watermark 中的列名", "check the column names in query, columns, key and watermark"),
	badQuery: advise("查询语句有语法错误", "the query cannot be parsed",
		"在数据库自己的工具中试运行 query", "try the query in the database's own tool"),
	noRight: advise("该账号缺少权限", "the account lacks a right",
		"授予权限：数据源需要 SELECT，目标库需要建表（CREATE）、SELECT、INSERT、UPDATE、DELETE",
		"grant it: a source needs SELECT; a sink needs CREATE, SELECT, INSERT, UPDATE and DELETE"),
	readOnly: advise("数据库是只读的", "the database is read-only",
		"把 url 改为主库的地址；备库不能写入", "put the primary's address into url; a standby takes no writes"),
	tooSlow: advise("语句超过了执行时限", "the statement took too long and was ended",
		"加大 statement_timeout，减小 chunk，或请部门在 key 与 watermark 上建立索引",
		"raise statement_timeout, lower chunk, or ask the department for an index on key and watermark"),
	full: advise("数据库的连接数已满", "the database has no connection left",
		"减小 max_connections，或请数据库管理员加大上限", "lower max_connections, or have the database's limit raised"),
	starting: advise("数据库正在启动或关闭", "the database is starting or stopping",
		"稍后再试", "try again in a while"),
	locked: advise("数据被其他会话锁定", "another session holds a lock on the data",
		"找出并结束长时间不提交的会话", "find the session that does not commit, and end it"),
	diskFull: advise("数据库的磁盘已满", "the database's disk is full",
		"清理或扩大磁盘", "free or add disk space"),
	noFile: advise("无法连接数据库：打不开文件", "the database cannot be reached: its file cannot be opened",
		"检查路径（相对于交换目录）、其目录是否存在，以及读写权限", "check the path (relative to the exchange directory), that its directory exists, and the rights on both"),
	noFileRight: advise("没有数据库文件的访问权限", "the database file may not be accessed",
		"给运行本程序的用户读写权限", "give the user that runs this program the rights on it"),
	notDatabase: advise("文件不是 SQLite 数据库", "the file is not an SQLite database",
		"检查路径；加密的文件不能读取", "check the path; an encrypted file cannot be read"),
	readOnlyFile: advise("数据库文件不可写", "the database file cannot be written",
		"给运行本程序的用户写权限，文件和所在目录都要", "give the user that runs this program the right to write to the file and its directory"),
	corrupt: advise("数据库文件已损坏", "the database file is damaged",
		"从备份恢复该文件", "restore the file from a backup"),
}
