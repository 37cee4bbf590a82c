package cib

// Exit statuses of Pacemaker's tools (crm_error(8)).
const (
	ExitNotConnected = 102 // CRM_EX_DISCONNECT: Pacemaker does not run there
	ExitNoSuch       = 105 // CRM_EX_NOSUCH
	ExitExists       = 108 // CRM_EX_EXISTS
)
