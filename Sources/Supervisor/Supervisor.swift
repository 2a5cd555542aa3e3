import Handover
